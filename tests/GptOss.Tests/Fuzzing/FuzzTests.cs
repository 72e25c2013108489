using GptOss.Tests.Fuzzing.Inputs;

namespace GptOss.Tests.Fuzzing;

/// <summary>Whatever is read from outside is read or refused: no crash, no hang, no error that is not ours.</summary>
[Trait("kind", "fuzz")]
public sealed class FuzzTests
{
    private static readonly Dictionary<string, Func<FuzzInput>> Inputs = new()
    {
        ["safetensors-header"] = () => new HeaderInput(),
        ["index"] = () => new IndexInput(),
        ["config"] = () => new ConfigInput(),
        ["tokenizer"] = () => new TokenizerInput(),
        ["gguf-head"] = () => new GgufInput(),
        ["adapter-config"] = () => new AdapterConfigInput(),
        ["adapter-weights"] = () => new AdapterWeightsInput(),
        ["harmony-tokens"] = () => new HarmonyInput(),
        ["json-schema"] = () => new SchemaInput(),
        ["pattern"] = () => new PatternInput(),
        ["gbnf"] = () => new GbnfInput(),
        ["saved-prefix"] = () => new PrefixInput(),
    };

    public static TheoryData<string> Names => [.. Inputs.Keys.Where(name => name != "harmony-tokens")];

    [Theory, MemberData(nameof(Names))]
    [Promise(4)]
    public void A_damaged_input_is_read_or_refused(string name)
    {
        using FuzzInput input = Inputs[name]();
        Assert.Equal(name, input.Name);
        FuzzRun.Check(input);
    }

    [Fact]
    [Promise(4)]
    [Promise(12)]
    public void Damaged_answers_and_random_tokens_never_throw_and_lose_nothing() =>
        A_damaged_input_is_read_or_refused("harmony-tokens");

    /// <summary>The other four are random schemas, hostile choices, folders, and the bodies of requests.</summary>
    [Fact]
    public void The_time_is_shared_by_the_inputs_and_four_tests_more() =>
        Assert.Equal(FuzzBudget.Shares, Inputs.Count + 4);

    [Fact]
    public void A_file_that_was_found_belongs_to_an_input()
    {
        string corpus = Repository.Vector("fuzz");
        Assert.Empty(Directory.GetDirectories(corpus).Select(Path.GetFileName).Except([.. Inputs.Keys, "http-body"]));
    }
}
