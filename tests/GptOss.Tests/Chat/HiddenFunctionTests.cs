using System.Text.Json;
using Microsoft.Extensions.AI;
using static GptOss.Tests.Chat.ChatScript;

namespace GptOss.Tests.Chat;

/// <summary>Functions that the model may call though no prompt lists them.</summary>
public sealed class HiddenFunctionTests
{
    private const string Calls =
        """<|channel|>commentary to=functions.find_it <|constrain|>json<|message|>{"what":"a"}<|call|>""";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_prompt_is_the_same_whatever_is_hidden()
    {
        AIFunction shown = AIFunctionFactory.Create((string what) => what, "a.b", "Shown.");
        string alone = await Prompt(shown);
        Assert.Contains("type a_b = (_: {", alone);
        Assert.Equal(alone, await Prompt(shown, Hidden("find.it")));
        // The names that a hidden function would take stay those of the functions that are listed.
        Assert.Equal(alone, await Prompt(Hidden("a_b"), shown, Hidden("a-b")));
        Assert.NotEqual(alone, await Prompt(shown, Hidden("find.it", isHidden: false)));
        // Nothing is listed: not even the namespace is there.
        Assert.Equal(await Prompt(), await Prompt(Hidden("find.it")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_hidden_function_is_called_under_its_own_name_with_arguments_that_fit(bool isRequired)
    {
        ChatOptions options = Options(new() { StrictTools = true });
        options.Tools = [Weather(_ => ""), Hidden("find.it")];
        options.ToolMode = isRequired ? ChatToolMode.RequireSpecific("find.it") : ChatToolMode.Auto;
        ChatResponse response = await new TokenScript(Calls).Client().GetResponseAsync("Find a", options, Stop);

        FunctionCallContent call = Assert.Single(response.Messages[0].Contents.OfType<FunctionCallContent>());
        Assert.Equal("find.it", call.Name);
        Assert.Equal("a", call.Arguments!["what"]?.ToString());
        Assert.Equal(ChatFinishReason.ToolCalls, response.FinishReason);

        // The script is held to the schema: no other property can be chosen.
        var wrong = new TokenScript(Calls.Replace("what", "name"));
        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            wrong.Client().GetResponseAsync("Find a", options, Stop)
        );
    }

    [Fact]
    public async Task Where_calls_are_forbidden_a_hidden_function_is_too()
    {
        ChatOptions options = Options();
        (options.Tools, options.ToolMode) = ([Hidden("find.it")], ChatToolMode.None);
        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            new TokenScript(Calls).Client().GetResponseAsync("Find a", options, Stop)
        );
    }

    [Fact]
    public async Task Its_description_is_what_the_prompt_would_say()
    {
        AIFunctionDeclaration[] functions =
        [
            Hidden("find.it", isHidden: false),
            AIFunctionFactory.Create((string city, int? days = 3) => city, "get_weather", "Tells the\nweather."),
            AIFunctionFactory.CreateDeclaration("where", null, JsonElement.Parse("null")),
        ];
        string prompt = await Prompt(functions);
        string[] described = [.. functions.Select(GptOssChatClient.Describe)];
        Assert.Equal("// Finds it.\ntype find_it = (_: {\nwhat: string,\n}) => any;", described[0]);
        Assert.Equal("type where = () => any;", described[2]);
        Assert.Contains(
            $"namespace functions {{\n\n{string.Join("\n\n", described)}\n\n}} // namespace functions",
            prompt
        );
        Assert.Throws<ArgumentNullException>(() => GptOssChatClient.Describe(null!));
    }

    [Theory]
    [InlineData("true", true)]
    [InlineData("false", false)]
    [InlineData("\"true\"", false)]
    public async Task The_property_may_have_been_read_from_json(string value, bool isHidden)
    {
        AIFunction function = AIFunctionFactory.Create(
            (string what) => what,
            new AIFunctionFactoryOptions
            {
                Name = "find_it",
                AdditionalProperties = new Dictionary<string, object?>
                {
                    ["harmony.hidden"] = JsonElement.Parse(value),
                },
            }
        );
        Assert.Equal(!isHidden, (await Prompt(function)).Contains("find_it", StringComparison.Ordinal));
    }

    private static async Task<string> Prompt(params AITool[] tools)
    {
        ChatOptions options = Options();
        options.Tools = tools;
        var source = new TokenScript(Greeting);
        await source.Client().GetResponseAsync("Hi", options, Stop);
        return source.Prompt();
    }

    private static AIFunction Hidden(string name, bool isHidden = true) =>
        AIFunctionFactory.Create(
            (string what) => what,
            new AIFunctionFactoryOptions
            {
                Name = name,
                Description = "Finds it.",
                AdditionalProperties = new Dictionary<string, object?> { ["harmony.hidden"] = isHidden },
            }
        );
}
