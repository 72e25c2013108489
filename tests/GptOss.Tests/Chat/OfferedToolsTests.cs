using Microsoft.Extensions.AI;
using static GptOss.Tests.Chat.ChatScript;

namespace GptOss.Tests.Chat;

/// <summary>The functions that a request offers: how the model sees, calls and is made to call them.</summary>
public sealed class OfferedToolsTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Functions_are_shown_under_names_that_are_identifiers_and_called_under_their_own()
    {
        AIFunction function = AIFunctionFactory.Create((int count) => count, "count.the things", "Counts.");
        ChatOptions options = Options();
        options.Tools = [function, new HostedWebSearchTool()];
        var source = new TokenScript(
            """<|channel|>commentary to=functions.count_the_things <|constrain|>json<|message|>{"count":2}<|call|>"""
        );
        ChatResponse response = await source.Client().GetResponseAsync("Hi", options, Stop);

        Assert.Contains("// Counts.\ntype count_the_things = (_: {\ncount: number,\n}) => any;", source.Prompt());
        Assert.Contains("Calls to these tools must go to the commentary channel: 'functions'.", source.Prompt());
        Assert.Equal("count.the things", Assert.IsType<FunctionCallContent>(response.Messages[0].Contents[0]).Name);
    }

    [Fact]
    public async Task A_function_of_no_schema_has_no_parameters()
    {
        ChatOptions options = Options();
        options.Tools =
        [
            AIFunctionFactory.CreateDeclaration("where", null, System.Text.Json.JsonElement.Parse("null")),
        ];

        Assert.Contains("type where = () => any;", await Prompt(options));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_schema_too_deep_to_be_shown_is_cut_and_a_warning_names_its_tool(bool cleanSchemas)
    {
        using var log = new Journal(Microsoft.Extensions.Logging.LogLevel.Warning);
        string deep = string.Concat(Enumerable.Repeat("""{"type":"array","items":""", 60)) + "{}" + new string('}', 60);
        ChatOptions options = Options(new() { CleanSchemas = cleanSchemas });
        options.Tools =
        [
            AIFunctionFactory.CreateDeclaration("dig.down", "Digs.", System.Text.Json.JsonElement.Parse(deep)),
            Weather(_ => ""),
        ];
        var source = new TokenScript(Greeting);

        Assert.Equal("Hello there!", (await source.Client(log).GetResponseAsync("Hi", options, Stop)).Text);
        Assert.Contains("type dig_down = (_: any[]", source.Prompt());
        Assert.Contains(
            "The schema of the function 'dig_down' is nested more than 32 levels deep.",
            Assert.Single(log.Lines)
        );
    }

    [Fact]
    public async Task Where_calls_are_forbidden_no_function_is_shown()
    {
        ChatOptions options = Options();
        options.Tools = [Weather(_ => "")];
        options.ToolMode = ChatToolMode.None;

        Assert.DoesNotContain("get_weather", await Prompt(options));
    }

    [Theory]
    [InlineData("get_weather", 2)]
    [InlineData("get_weather", 1)]
    [InlineData(null, 1)]
    [InlineData(null, 2)]
    public async Task A_required_call_comes_and_nothing_else_can(string? name, int offered)
    {
        ChatOptions options = Options();
        options.Tools =
        [
            .. new AITool[] { Weather(_ => ""), AIFunctionFactory.Create(() => 1, "other") }.Take(offered),
        ];
        options.ToolMode = name is null ? ChatToolMode.RequireAny : ChatToolMode.RequireSpecific(name);
        ChatResponse response = await Ask(
            "<|channel|>analysis<|message|>The weather.<|end|><|start|>assistant<|channel|>commentary "
                + "to=functions.get_weather <|constrain|>json<|message|>{\"city\":\"Lisbon\"}<|call|>"
        );

        var call = Assert.IsType<FunctionCallContent>(response.Messages[0].Contents[^1]);
        Assert.Equal(("get_weather", "Lisbon"), (call.Name, call.Arguments!["city"]!.ToString()));
        Assert.Equal(ChatFinishReason.ToolCalls, response.FinishReason);
        string[] others =
        [
            Greeting,
            Call, // which says something first
            "<|channel|>commentary to=functions.get_weather<|message|>{\"town\":\"Lisbon\"}<|call|>",
            "<|channel|>commentary to=functions.fly<|message|>{}<|call|>",
        ];
        foreach (string other in others)
            await Assert.ThrowsAsync<InvalidOperationException>(() => Ask(other));

        Task<ChatResponse> Ask(string answer) => new TokenScript(answer).Client().GetResponseAsync("Hi", options, Stop);
    }

    private static async Task<string> Prompt(ChatOptions options)
    {
        var source = new TokenScript(Greeting);
        await source.Client().GetResponseAsync("Hi", options, Stop);
        return source.Prompt();
    }
}
