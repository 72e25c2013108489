using System.Text.Json;
using GptOss.Constraints;
using GptOss.Constraints.Schemas;

namespace GptOss.Tests.Constraints.Schemas;

/// <summary>
/// Every schema of the corpora, both ways: what is valid can be written, and what is not valid cannot. The public
/// corpora are read to the letter of the standard, our own as an answer's schema is.
/// </summary>
public sealed class SchemaCorpusTests
{
    private static readonly SchemaOptions ToTheLetter = new()
    {
        Objects = SchemaObjects.AsWritten,
        Order = PropertyOrder.Any,
    };

    [Theory]
    [InlineData("tools")]
    [InlineData("field")]
    public void Our_schemas_compile_and_judge_every_text_as_told(string corpus)
    {
        var wrong = new List<string>();
        foreach (SchemaCase schema in SchemaCorpus.Read(corpus))
        {
            SchemaException? refusal = TryCompile(schema.Schema, SchemaOptions.Default, out Rule? rule);
            if (schema.Refusal is var (keyword, pointer))
            {
                if (
                    refusal is null
                    || refusal.Pointer != pointer
                    || (keyword is not null && refusal.Keyword != keyword)
                )
                    wrong.Add($"{schema.Id}: refused by {refusal?.Keyword} at {refusal?.Pointer}: {refusal?.Message}");
            }
            else if (rule is null)
                wrong.Add($"{schema.Id}: {refusal?.Message}");
            else
                wrong.AddRange(Misjudged(schema, rule));
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Theory]
    [InlineData("tools")]
    [InlineData("field")]
    public void What_is_told_of_other_options_holds_with_them(string corpus)
    {
        var wrong = new List<string>();
        foreach (SchemaCase schema in SchemaCorpus.Read(corpus).Where(schema => schema.Refusal is null))
        foreach (SchemaInstance instance in schema.Instances.Where(told => told.IsFreeOrder || told.IsAsWritten))
        {
            var options = new SchemaOptions
            {
                Objects = instance.IsAsWritten ? SchemaObjects.AsWritten : SchemaObjects.Closed,
                Order = instance.IsFreeOrder ? PropertyOrder.Any : PropertyOrder.Schema,
            };
            TryCompile(schema.Schema, options, out Rule? rule);
            if (!ConstraintState.Accepts(new Grammar(rule!, isCompact: false), instance.Text))
                wrong.Add($"{schema.Id}: {instance.Text}");
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Theory]
    [InlineData("suite", 1)]
    [InlineData("bench", 5)] // all of them with GPTOSS_LONG=1
    public void Public_schemas_are_judged_right_or_refused_and_few_are_refused(string corpus, int oneOf)
    {
        Assert.SkipWhen(SchemaCorpus.Missing(corpus) is not null, SchemaCorpus.Missing(corpus) ?? "");
        var wrong = new List<string>();
        var refused = new List<string>();
        int schemas = 0;
        foreach (SchemaCase schema in SchemaCorpus.Read(corpus, Long.IsLong ? 1 : oneOf))
        {
            schemas++;
            SchemaException? refusal = TryCompile(schema.Schema, ToTheLetter, out Rule? rule);
            if (rule is null)
                refused.Add($"{schema.Id}: {refusal?.Message}");
            else
                wrong.AddRange(Misjudged(schema, rule));
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.True(refused.Count <= schemas / 10, $"{refused.Count} of {schemas}:\n{string.Join('\n', refused)}");
    }

    private static SchemaException? TryCompile(JsonElement schema, SchemaOptions options, out Rule? rule)
    {
        try
        {
            rule = SchemaCompiler.Compile(schema, options, PropertyOrder.Schema, mustBeObject: false, new()).Root;
            return null;
        }
        catch (SchemaException refusal)
        {
            rule = null;
            return refusal;
        }
    }

    private static IEnumerable<string> Misjudged(SchemaCase schema, Rule rule)
    {
        var grammar = new Grammar(rule, isCompact: false);
        return from instance in schema.Instances
            where instance.IsAllowed is bool isAllowed && ConstraintState.Accepts(grammar, instance.Text) != isAllowed
            select $"{schema.Id}: not {instance.IsAllowed}: {instance.Text}";
    }
}
