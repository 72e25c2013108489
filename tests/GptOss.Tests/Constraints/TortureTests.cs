using System.Text.Json;
using GptOss.Constraints;
using GptOss.Constraints.Schemas;
using GptOss.Tokenization;

namespace GptOss.Tests.Constraints;

/// <summary>
/// Answers to random schemas from choices that mean harm. Whatever is chosen among the allowed tokens, what is complete
/// fits by the word of another validator, and there is always something to choose.
/// </summary>
[Trait("kind", "long"), Trait("kind", "fuzz")]
[Promise(14)]
public sealed class TortureTests
{
    private const int MostTokens = 2_000,
        MostOfBounded = 100_000;

    private static readonly Lazy<Tokenizer> Tiny = new(() =>
        Tokenizer.ForFolder(TinyGptOss.Folder, 960, out _, CancellationToken.None)!
    );

    [Fact]
    public void What_hostile_choices_complete_fits_by_another_validator()
    {
        var refused = new Dictionary<string, int>();
        int complete = 0,
            cut = 0,
            forced = 0;
        int schemas = 0;
        foreach (int seed in Long.IsLong ? Enumerable.Range(0, 10_000) : FuzzBudget.Seeds(50))
        {
            schemas++;
            var random = new Random(seed);
            var wild = new WildSchemas(random);
            string schema = wild.Schema().ToJsonString();
            if (Compiled(schema, seed, refused) is not { } constraint)
                continue;
            var judge = new SchemaJudge(schema);
            bool isBounded = wild.IsBounded && seed % 3 != 0; // as written, objects are open
            int most = isBounded ? MostOfBounded : MostTokens;
            foreach (Choice choice in Enum.GetValues<Choice>())
            {
                var walk = new HostileWalk(
                    constraint,
                    seed % 50 == 49 ? Tokenizer.O200kHarmony : Tiny.Value,
                    choice,
                    random
                );
                string? text = walk.Run(most, out string? fault);
                Assert.True(fault is null, $"{seed}, {choice}: {fault}, for {schema}");
                forced += walk.Forced;
                if (text is null)
                {
                    cut++;
                    Assert.False(isBounded, $"{seed}, {choice}: {most} tokens were too few for {schema}");
                    continue;
                }
                complete++;
                Assert.True(
                    judge.Fault(text) is not { } wrong,
                    $"{seed}, {choice}: {judge.Fault(text)}: {text} for {schema}"
                );
            }
        }
        string kinds = string.Join(", ", refused.OrderByDescending(kind => kind.Value));
        FuzzBudget.Tell(
            $"hostile choices: {schemas} schemas, {complete} complete, {cut} cut, {forced} forced tokens, {refused.Values.Sum()} schemas refused: {kinds}"
        );
        Assert.True(complete > cut && forced > 0, $"{complete} complete, {cut} cut, {forced} forced tokens");
        Assert.InRange(refused.Values.Sum(), 0, schemas / 10);
    }

    private static TokenConstraint? Compiled(string schema, int seed, Dictionary<string, int> refused)
    {
        var options = new SchemaOptions
        {
            Objects = seed % 3 == 0 ? SchemaObjects.AsWritten : SchemaObjects.Closed,
            Order = seed % 2 == 0 ? PropertyOrder.Any : PropertyOrder.Schema,
        };
        try
        {
            Rule rule = SchemaCompiler
                .Compile(JsonElement.Parse(schema), options, PropertyOrder.Schema, mustBeObject: false, new())
                .Root;
            var grammar = new Grammar(rule, isCompact: seed % 4 == 0);
            return new TokenConstraint(grammar, seed % 50 == 49 ? Tokenizer.O200kHarmony : Tiny.Value, []);
        }
        catch (SchemaException error)
        {
            string kind = error.Keyword
                ?? (error.Message.Contains("no value", StringComparison.Ordinal) ? "empty" : "?");
            refused[kind] = refused.GetValueOrDefault(kind) + 1;
            return null;
        }
    }
}
