using System.Text.Json;
using GptOss.Constraints;
using GptOss.Constraints.Schemas;

namespace GptOss.Tests.Constraints.Schemas;

/// <summary>
/// Random schemas against the standard's own definition of each keyword, as <see cref="LiteralCheck"/> has it: a value
/// may be written if and only if it fits, and whatever is written at random can be ended and then fits.
/// </summary>
[Trait("kind", "fuzz")]
public sealed class RandomSchemasTests
{
    private const int Values = 40,
        Walks = 3,
        MostBytes = 300;

    private static readonly SchemaOptions ToTheLetter = new()
    {
        Objects = SchemaObjects.AsWritten,
        Order = PropertyOrder.Any,
        Compact = true,
    };

    [Fact]
    public void A_value_may_be_written_if_and_only_if_it_fits()
    {
        int schemas = 0;
        foreach (int seed in FuzzBudget.Seeds(400))
        {
            schemas++;
            var random = new Random(seed);
            var draws = new RandomSchemas(random);
            string text = draws.Schema().ToJsonString();
            if (Compiled(text) is not (Rule rule, Func<string, bool?> fits))
                continue;
            Grammar? grammar = rule.Alternatives.Count > 0 ? new(rule, isCompact: true) : null;
            for (int i = 0; i < Values; i++)
            {
                string value = draws.Value()?.ToJsonString() ?? "null";
                if (fits(value) is not bool isFitting)
                    break;
                Assert.True(isFitting == RuleOracle.Accepts(rule, value), $"{seed}: {value} for {text}");
                Assert.True(
                    isFitting == (grammar is not null && ConstraintState.Accepts(grammar, value)),
                    $"{seed}: the machine, {value} for {text}"
                );
            }
            for (int walk = 0; grammar is not null && walk < Walks; walk++)
                if (Written(grammar, random) is (string written, bool isComplete))
                {
                    Assert.True(isComplete, $"{seed}: nothing can follow {written} for {text}");
                    Assert.True(fits(written) ?? true, $"{seed}: wrote {written} for {text}");
                }
        }
        FuzzBudget.Tell($"random-schemas: {schemas:N0} schemas, whose values and walks fit");
    }

    // The rule, and whether a value surely fits; null where the schema is refused.
    private static (Rule Rule, Func<string, bool?> Fits)? Compiled(string text)
    {
        JsonElement schema = JsonDocument.Parse(text).RootElement;
        var budget = new CompileBudget();
        Rule rule;
        try
        {
            rule = SchemaCompiler.Compile(schema, ToTheLetter, PropertyOrder.Any, mustBeObject: false, budget).Root;
        }
        catch (SchemaException error) when (error.Message.Contains("no value", StringComparison.Ordinal))
        {
            rule = new("nothing");
        }
        catch (SchemaException)
        {
            return null;
        }
        SchemaNode node = NodeReader.Read(schema, new HashSet<string>(), budget);
        return (rule, value => Fits(node, value));
    }

    private static bool? Fits(SchemaNode schema, string value)
    {
        using JsonDocument document = JsonDocument.Parse(value);
        try
        {
            Literal literal = Literal.Read(new(document.RootElement, ""));
            return new LiteralCheck(new()).Holds(literal, new Goal(schema));
        }
        catch (LimitException)
        {
            return null; // a schema that refers to itself, which the compiler did not come upon
        }
    }

    // A random text of bytes that may come; null where it grew too long, else whether it is complete.
    private static (string Text, bool IsComplete)? Written(Grammar grammar, Random random)
    {
        byte[] likely = [.. "\"}],:abc0123tfn.-{["u8];
        var written = new List<byte>();
        lock (grammar.Gate)
        {
            var state = new ConstraintState(grammar);
            while (written.Count < MostBytes)
            {
                if (state.IsComplete && random.Next(3) == 0)
                    return (System.Text.Encoding.UTF8.GetString([.. written]), true);
                byte[] tried =
                [
                    .. likely.OrderBy(_ => random.Next()),
                    .. Enumerable.Range(0, 256).Select(b => (byte)b),
                ];
                int next = Array.FindIndex(tried, symbol => state.TryAdvance((int)symbol, out state));
                if (next < 0)
                    return (System.Text.Encoding.UTF8.GetString([.. written]), state.IsComplete);
                written.Add(tried[next]);
            }
        }
        return null;
    }
}
