using System.Text.Json;
using GptOss.Constraints;
using GptOss.Sampling;
using GptOss.Tests.Constraints.Schemas;
using GptOss.Tokenization;

namespace GptOss.Tests.Constraints;

/// <summary>
/// Hostile schemas, patterns, grammars and choices: each is an error of its own or works, and either within a second
/// and 200 MB, up to its first masks. The bytes are all that were allocated, which is never less than what was held at
/// any moment, and does not depend on when the collector ran.
/// </summary>
[CollectionDefinition(nameof(BombTests), DisableParallelization = true)]
[Collection(nameof(BombTests))]
[Promise(13)]
public sealed class BombTests(BombTests.Tally tally) : IClassFixture<BombTests.Tally>
{
    /// <summary>What the worst of all took.</summary>
    public sealed class Tally : IDisposable
    {
        private int _bombs;
        private double _milliseconds;
        private long _bytes;

        internal void Add(TimeSpan time, long bytes)
        {
            _bombs++;
            _milliseconds = Math.Max(_milliseconds, time.TotalMilliseconds);
            _bytes = Math.Max(_bytes, bytes);
        }

        public void Dispose() =>
            Figure.Tell(
                13,
                $"{_bombs} bombs are errors or work: slowest {_milliseconds:N0} ms, at most {_bytes / 1e6:N0} MB allocated"
            );
    }

    private static readonly TimeSpan Most = TimeSpan.FromSeconds(1);
    private const long MostBytes = 200_000_000;
    private const int Tries = 3;
    private const int Masks = 5;

    // Those that take longest, with GPTOSS_LONG=1 only.
    private static readonly string[] Slow =
    [
        "a count of many places",
        "a list of many objects",
        "a long chain of references",
        "a long list as a value",
        "a long text against many patterns",
        "a pattern of many states",
        "as many properties as may be, in alternatives",
        "choices: at random",
        "choices: one of a megabyte",
        "conditions times conditions",
        "divisors of many numbers",
        "grammar: a chain of rules",
        "grammar: a chain of rules that may be empty",
        "grammar: a repetition of rules that may be empty",
        "grammar: a row of rules that may be empty",
        "grammar: brackets of nine kinds",
        "grammar: many rules that begin alike",
        "grammar: trees of any letter",
        "lists of some length in lists",
        "many excluded values",
        "many lengths at once",
        "many patterns of names",
        "names in a circle",
        "names of seven patterns",
        "numbers of many bounds",
        "objects against required names",
        "one of many objects",
        "patterns together",
        "the same objects in objects",
    ];

    public static TheoryData<string> Schemas => Quick(SchemaBombs.All.Keys);

    public static TheoryData<string> Texts => Quick(TextBombs.All.Keys);

    [Theory, MemberData(nameof(Schemas))]
    public void A_hostile_schema_is_an_error_or_works_in_little_time_and_memory(string name)
    {
        using JsonDocument schema = JsonDocument.Parse(
            SchemaBombs.All[name](),
            new JsonDocumentOptions { MaxDepth = 10_000 }
        );
        foreach (SchemaObjects objects in Enum.GetValues<SchemaObjects>())
        {
            var options = new SchemaOptions { Objects = objects, Order = (PropertyOrder)objects };
            Check(() => GptOssGrammar.JsonSchema(schema.RootElement, options));
        }
    }

    [Theory, MemberData(nameof(Texts))]
    public void A_hostile_pattern_grammar_or_choice_is_an_error_or_works_in_little_time_and_memory(string name) =>
        Check(TextBombs.All[name]);

    // The best of a few tries: the first one compiles the code too, and fills what is made once for a process.
    private void Check(Func<GptOssGrammar> make)
    {
        _ = VocabularyMasks.Of(Tokenizer.O200kHarmony);
        TimeSpan best = TimeSpan.MaxValue;
        long least = long.MaxValue;
        for (int i = 0; i < Tries && (best > Most || least > MostBytes); i++)
        {
            long bytes = GC.GetAllocatedBytesForCurrentThread();
            TimeSpan began = ThreadClock.Now;
            Use(make);
            best = new(Math.Min(best.Ticks, (ThreadClock.Now - began).Ticks));
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - bytes);
        }
        Assert.True(least < MostBytes, $"It allocated {least:N0} bytes.");
        Assert.True(best < Most, $"It took {best.TotalMilliseconds:N0} ms.");
        tally.Add(best, least);
    }

    // The grammar, its machine over a vocabulary, and the masks of the first tokens of some text.
    private static void Use(Func<GptOssGrammar> make)
    {
        try
        {
            GptOssGrammar grammar = make();
            var constraint = new TokenConstraint(
                new Grammar(grammar.Root, grammar.IsCompact),
                Tokenizer.O200kHarmony,
                markers: []
            );
            ConstraintState state = constraint.Start;
            for (int i = 0; i < Masks; i++)
            {
                TokenMask mask = constraint.MaskOf(state);
                if (mask.Count == 0)
                {
                    Assert.True(state.IsComplete, "No token may come.");
                    return;
                }
                Assert.True(constraint.TryAdvance(state, Allowed(mask, 7_919 * (i + 1) % mask.Count), out state));
            }
        }
        catch (Exception refusal) when (refusal is SchemaException or LimitException)
        {
            Assert.False(string.IsNullOrWhiteSpace(refusal.Message));
            TestContext.Current.TestOutputHelper?.WriteLine(refusal.Message);
        }
    }

    // Allocates nothing, since what is allocated is measured.
    private static int Allowed(TokenMask mask, int number)
    {
        int id = 0;
        while (!mask.Allows(id) || number-- > 0)
            id++;
        return id;
    }

    private static TheoryData<string> Quick(IEnumerable<string> names) =>
        [.. names.Where(name => Long.IsLong || !Slow.Contains(name))];
}
