using System.Text.Json;
using GptOss.Chat;
using GptOss.Constraints;
using GptOss.Constraints.Schemas;
using GptOss.Generation;
using GptOss.Harmony;
using GptOss.Model;
using GptOss.Tests.Constraints;
using GptOss.Tests.Generation;

namespace GptOss.Tests.Chat;

/// <summary>
/// The tokens of an answer that is held to a schema depend on the request alone, bit for bit: not on what is kept of
/// grammars, not on the memory of keys and values, not on neighbours, guesses or prefixes.
/// </summary>
[Trait("speed", "slow")]
public sealed class ConstrainedTokensTests : IDisposable
{
    private const int Requests = 16;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private readonly RandomChat _chat = new(seed: 3);
    private readonly SpecialTokens _special;
    private readonly Rule[] _bodies = [.. Bodies().Take(Requests)];

    public ConstrainedTokensTests() => _special = new(_chat.Tokenizer);

    [Fact]
    public async Task Answers_are_the_same_however_they_are_made()
    {
        using var plain = new SchedulerUnderTest(_chat.Loaded, new ModelOptions());
        Answer[] expected = new Answer[Requests];
        for (int i = 0; i < Requests; i++)
            expected[i] = await plain.AskAlone(Request(i));
        Assert.True(expected.Count(answer => answer.End == EndReason.Stop) > Requests / 2);
        Assert.All(expected.Index(), made => AssertFits(made.Index, made.Item));

        // What is kept of a grammar: nothing, little, and all.
        foreach (long bytes in (long[])[0, 100_000, 128L << 20])
            for (int i = 0; i < Requests; i++)
                Assert.Equal(expected[i], await plain.AskAlone(Request(i, bytes)));

        // Guessed tokens.
        (int guessed, int right) = (0, 0);
        for (int i = 0; i < Requests; i++)
        {
            GenerationRequest request = Request(i) with { PromptLookup = true, Scope = $"guesses {i}" };
            using Sequence sequence = plain.Scheduler.Submit(request, Stop);
            Assert.Equal(expected[i], await Answer.Of(sequence, Stop));
            guessed += (int)sequence.Telemetry.GuessedTokens;
            right += (int)sequence.Telemetry.RightTokens;
        }
        Assert.True(0 < right && right < guessed, $"{right} of {guessed} guesses were right");

        // A prompt whose keys and values are found again.
        for (int i = 0; i < Requests; i++)
        {
            await plain.Ask(Request(i) with { Scope = "prefix", MaxTokens = 60 });
            Answer again = await plain.Ask(Request(i) with { Scope = "prefix" });
            Assert.Equal(expected[i], again);
            Assert.True(again.Cached > 0);
        }
    }

    [Theory]
    [InlineData(1)] // pages for the longest alone, so that the others wait and are put back
    [InlineData(16)]
    public async Task A_batch_of_sixteen_says_what_each_says_alone(int room)
    {
        using var plain = new SchedulerUnderTest(_chat.Loaded, new ModelOptions());
        long budget = plain.Engine.Cache.BytesFor(1_000, PassBudget.ChunkRows) * room;
        var limits = new ModelOptions
        {
            KvCacheBytes = budget,
            Threads = 2,
            MaxRunning = Requests,
        };
        using var crowded = new SchedulerUnderTest(_chat.Loaded, limits);
        TokenConstraint shared = Constraint(0, Grammar.MostBytes);
        Task<Answer>[] asked =
        [
            .. Enumerable
                .Range(0, Requests)
                // Half of them are held to one grammar, which they step through side by side.
                .Select(i => crowded.AskAlone(i % 2 == 0 ? Request(i) : Request(i) with { Guide = Guide(shared) })),
        ];
        for (int i = 0; i < Requests; i++)
        {
            TokenConstraint alone = Constraint(i % 2 == 0 ? i : 0, Grammar.MostBytes);
            Assert.Equal(
                await plain.AskAlone(Request(i) with { Guide = Guide(alone) }),
                await asked[i].WaitAsync(Stop)
            );
        }
    }

    private static IEnumerable<Rule> Bodies()
    {
        for (int seed = 0; ; seed++)
        {
            JsonElement schema = JsonElement.Parse(
                new WildSchemas(new Random(seed)).Parameters(depth: 3).ToJsonString()
            );
            CompiledSchema compiled;
            try
            {
                compiled = SchemaCompiler.Compile(schema, new(), PropertyOrder.Schema, mustBeObject: true, new());
            }
            catch (SchemaException)
            {
                continue;
            }
            yield return compiled.Root;
        }
    }

    private GenerationRequest Request(int i, long bytes = Grammar.MostBytes) =>
        new()
        {
            Prompt = [.. Enumerable.Range(0, 80 + 5 * i).Select(at => at % (5 + i) * 13 % 900)],
            MaxTokens = 300,
            LogProbabilities = 2,
            StopTokens = [_special.Return],
            Guide = Guide(Constraint(i, bytes)),
            Sampling = new()
            {
                Temperature = i % 2,
                Seed = (ulong)i,
                TopP = i % 4 == 3 ? 0.9f : 1,
                LogitBias = _chat.Ends,
                FrequencyPenalty = i % 4 == 1 ? 0.3f : 0,
            },
        };

    private TokenConstraint Constraint(int i, long bytes)
    {
        var plan = new TurnPlan { Final = new TurnBody(_bodies[i], IsJson: true) };
        var grammar = new Grammar(TurnGrammar.Of(plan), isCompact: false, mostBytes: bytes);
        return new TokenConstraint(grammar, _chat.Tokenizer, TurnGrammar.MarkersOf(_special));
    }

    private TurnGuide Guide(TokenConstraint turn)
    {
        var constraint = new AnswerConstraint(turn, "the schema") { HasForm = true, Spared = new(_special) };
        return new TurnGuide(constraint, turn.Start, budget: 5, new HarmonyParser(_special));
    }

    private void AssertFits(int i, Answer answer)
    {
        if (answer.End != EndReason.Stop)
            return;
        string body = RandomChat.LastBody(_chat.Tokenizer.Decode(answer.Ids));
        Assert.True(ConstraintState.Accepts(new Grammar(_bodies[i], isCompact: false), body), body);
    }

    public void Dispose() => _chat.Dispose();
}
