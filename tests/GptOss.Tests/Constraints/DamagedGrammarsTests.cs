using System.Text;
using System.Text.Json;

namespace GptOss.Tests.Constraints;

/// <summary>
/// Damaged schemas, patterns and grammars: each is a grammar or a <see cref="SchemaException"/>, and neither takes long
/// nor much memory.
/// </summary>
[Trait("kind", "fuzz")]
public sealed class DamagedGrammarsTests
{
    private const int Cases = 400;

    // Beside other tests on a small machine a second try is allowed.
    private const double MostSeconds = 1;
    private const long MostBytes = 200L << 20;

    private static readonly string[] Patterns =
    [
        "^[a-z]{1,4}$",
        @"^\d{3}-[A-Z]{2,4}$",
        "^(?!00)[0-9]{2,5}$",
        @"^(?:[\w.-]+@)?(\p{L}|\u{1F600}){0,30}$",
        "(a|ab)*c{2,}$|^x",
    ];
    private static readonly string[] Grammars =
    [
        "root ::= \"a\" item{1,3} # a comment\nitem ::= [a-z^] | (\"x\" root)?\n",
        "root ::= value\nvalue ::= \"[\" (value (\",\" value)*)? \"]\" | [0-9]+\n",
    ];
    private static readonly string[] Pieces =
    [
        "\"",
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "\\",
        "*",
        "+",
        "?",
        "|",
        "^",
        "$",
        ",",
        ":",
        "1",
        "0",
        "-1",
        "1e9",
        "999999",
        "{0,4000}",
        "::=",
        "root",
        "null",
        "true",
        "{}",
        "[]",
        "#",
        "\"#\"",
        "\"$ref\"",
        "\n",
        "é",
        "\\u",
        "\\ud800",
        "\\p{",
        "(?=",
        "[^",
        ".{3000}",
        "\"items\"",
        "\"not\"",
        "\"oneOf\"",
        "\"string\"",
        "\"object\"",
        "\ud800",
    ];

    [Fact]
    public void A_damaged_schema_is_a_grammar_or_an_exception_of_its_own()
    {
        foreach (int seed in FuzzBudget.Seeds(Cases))
        {
            var random = new Random(seed);
            string text = Damaged(new WildSchemas(random).Schema().ToJsonString(), random);
            JsonElement schema;
            try
            {
                schema = JsonElement.Parse(text);
            }
            catch (Exception error) when (error is JsonException or ArgumentException)
            {
                continue; // not JSON, or no text: that is the caller's to read
            }
            Compile(seed, text, () => GptOssGrammar.JsonSchema(schema, new() { Relax = seed % 2 == 0 }));
        }
    }

    [Fact]
    public void A_damaged_pattern_is_a_grammar_or_an_exception_of_its_own()
    {
        foreach (int seed in FuzzBudget.Seeds(Cases))
        {
            var random = new Random(seed);
            string text = Damaged(Patterns[random.Next(Patterns.Length)], random);
            Compile(seed, text, () => GptOssGrammar.Regex(text));
        }
    }

    [Fact]
    public void A_damaged_gbnf_is_a_grammar_or_an_exception_of_its_own()
    {
        foreach (int seed in FuzzBudget.Seeds(Cases))
        {
            var random = new Random(seed);
            string text = Damaged(Grammars[random.Next(Grammars.Length)], random);
            Compile(seed, text, () => GptOssGrammar.Gbnf(text));
        }
    }

    private static void Compile(int seed, string text, Func<GptOssGrammar> make)
    {
        double seconds = Seconds(seed, text, make);
        if (seconds >= MostSeconds)
            seconds = Math.Min(seconds, Seconds(seed, text, make));
        Assert.True(seconds < MostSeconds, $"{seed}: {seconds:F1} s for {text}");
    }

    // Makes the grammar and its machine, and asks it something.
    private static double Seconds(int seed, string text, Func<GptOssGrammar> make)
    {
        long bytes = GC.GetAllocatedBytesForCurrentThread();
        TimeSpan start = ThreadClock.Now;
        try
        {
            make().Accepts("{\"id\":1}");
        }
        catch (SchemaException error)
        {
            Assert.False(string.IsNullOrWhiteSpace(error.Message));
        }
        catch (Exception error)
        {
            Assert.Fail($"{seed}: {error.GetType().Name}: {error.Message} for {text}");
        }
        TimeSpan elapsed = ThreadClock.Now - start;
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - bytes, 0, MostBytes);
        return elapsed.TotalSeconds;
    }

    // Some pieces are put in, some taken out, some doubled or exchanged with others.
    private static string Damaged(string text, Random random)
    {
        var damaged = new StringBuilder(text);
        for (int count = 1 + random.Next(4); count > 0 && damaged.Length > 0; count--)
        {
            int at = random.Next(damaged.Length),
                length = Math.Min(damaged.Length - at, 1 + random.Next(8));
            switch (random.Next(4))
            {
                case 0:
                    damaged.Remove(at, length);
                    break;
                case 1:
                    damaged.Insert(at, damaged.ToString(at, length));
                    break;
                case 2:
                    damaged[at] = damaged[random.Next(damaged.Length)];
                    break;
                default:
                    damaged.Insert(at, Pieces[random.Next(Pieces.Length)]);
                    break;
            }
        }
        return damaged.ToString();
    }
}
