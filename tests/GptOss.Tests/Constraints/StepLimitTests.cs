using GptOss.Constraints;
using GptOss.Constraints.Schemas;
using GptOss.Sampling;
using GptOss.Tests.Constraints.Schemas;
using GptOss.Tokenization;

namespace GptOss.Tests.Constraints;

/// <summary>The limit of steps of one mask, which no grammar of a person meets, and which nothing kept moves.</summary>
public sealed class StepLimitTests
{
    // Each rule may be empty and is followed by any letter: a text is read in as many ways as it has letters.
    private static readonly string Crowded =
        "root ::= r0\n"
        + string.Concat(Enumerable.Range(0, 3_000).Select(i => $"r{i} ::= r{i + 1}? [a-z]?\n"))
        + "r3000 ::= \"a\"?";

    // Every text of letters is a tree in very many ways.
    private const string Trees = "root ::= [a-z] root root | [a-z] root | [a-z]";

    [Fact]
    public void A_mask_that_takes_too_many_steps_is_an_error_that_names_the_rule()
    {
        TokenConstraint constraint = Constraint(Crowded);
        var error = Assert.Throws<SchemaException>(() => constraint.MaskOf(constraint.Start));
        Assert.Contains("5,000,000 steps", error.Message, StringComparison.Ordinal);
        Assert.Contains("'r", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_that_can_be_read_in_too_many_ways_is_an_error()
    {
        GptOssGrammar grammar = GptOssGrammar.Gbnf(Trees);
        Assert.True(grammar.Accepts(new string('a', 100)));
        Assert.Throws<SchemaException>(() => grammar.Accepts(new string('a', 20_000)));
    }

    /// <summary>A mask is the same error, or the same mask, whatever has been worked out before it.</summary>
    [Fact]
    public void Whether_a_mask_takes_too_many_steps_does_not_depend_on_what_is_kept()
    {
        var keeps = Constraint(Trees);
        var forgets = new TokenConstraint(
            new Grammar(GptOssGrammar.Gbnf(Trees).Root, isCompact: false, mostBytes: 0),
            Tokenizer.O200kHarmony,
            markers: []
        );
        ConstraintState kept = keeps.Start,
            forgotten = forgets.Start;
        int errors = 0;
        for (int length = 0; length < 2_000 && errors == 0; length++)
        {
            if (length % 100 == 0)
            {
                TokenMask? mask = Mask(keeps, kept);
                Assert.Equal(mask?.Count, Mask(forgets, forgotten)?.Count);
                errors += mask is null ? 1 : 0;
            }
            int token = Tokenizer.O200kHarmony.Encode("a")[0];
            Assert.True(keeps.TryAdvance(kept, token, out kept));
            Assert.True(forgets.TryAdvance(forgotten, token, out forgotten));
        }
        Assert.Equal(1, errors);
    }

    [Fact]
    public void A_schema_as_people_write_them_takes_a_small_part_of_the_limit()
    {
        long most = 0;
        foreach (SchemaCase schema in SchemaCorpusSample())
        {
            var grammar = new Grammar(
                SchemaCompiler
                    .Compile(schema.Schema, SchemaOptions.Default, PropertyOrder.Any, mustBeObject: false, new())
                    .Root,
                isCompact: false
            );
            var constraint = new TokenConstraint(grammar, Tokenizer.O200kHarmony, markers: []);
            foreach (SchemaInstance instance in schema.Instances.Where(instance => instance.IsAllowed == true).Take(1))
            {
                ConstraintState state = constraint.Start;
                foreach (int token in Tokenizer.O200kHarmony.Encode(instance.Text).Take(40))
                {
                    constraint.MaskOf(state);
                    most = Math.Max(most, grammar.Steps);
                    if (!constraint.TryAdvance(state, token, out state))
                        break;
                }
            }
        }
        Assert.InRange(most, 1, StepLimit.Mask / 10);
    }

    private static IEnumerable<SchemaCase> SchemaCorpusSample() =>
        SchemaCorpus.Read("tools").Where(schema => schema.Refusal is null).Take(60);

    private static TokenMask? Mask(TokenConstraint constraint, ConstraintState state)
    {
        try
        {
            return constraint.MaskOf(state);
        }
        catch (SchemaException)
        {
            return null;
        }
    }

    private static TokenConstraint Constraint(string gbnf) =>
        new(new Grammar(GptOssGrammar.Gbnf(gbnf).Root, isCompact: false), Tokenizer.O200kHarmony, markers: []);
}
