using System.Text.Json;
using GptOss.Tests.Constraints;
using Microsoft.Extensions.AI;

namespace GptOss.Tests.Chat;

/// <summary>Random functions in all modes of tool choice, answered from random weights.</summary>
[Trait("kind", "long"), Trait("speed", "slow")]
public sealed class ToolChoiceTests
{
    private static int Sets => Long.IsLong ? 1_000 : 15;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    [Fact]
    public async Task Every_call_is_of_the_right_function_and_its_arguments_fit()
    {
        using var chat = new RandomChat(seed: 5, threads: 2);
        int calls = 0,
            cut = 0,
            refused = 0;
        foreach (int seed in Enumerable.Range(0, Sets))
        {
            var random = new Random(seed);
            string[] schemas = [.. Enumerable.Range(0, 1 + random.Next(6)).Select(_ => Parameters(random))];
            AITool[] tools = [.. schemas.Select((schema, index) => Function(seed, index, schema))];
            int wanted = random.Next(tools.Length);
            foreach (Mode mode in Enum.GetValues<Mode>())
            {
                ChatOptions options = chat.Options(seed, own => own with { StrictTools = mode == Mode.Strict });
                (options.Tools, options.ToolMode) = (tools, Of(mode, tools[wanted].Name));
                ChatResponse response;
                try
                {
                    response = await chat.Client.GetResponseAsync(
                        "Go.",
                        options,
                        TestContext.Current.CancellationToken
                    );
                }
                catch (SchemaException error)
                {
                    Assert.Contains(tools, tool => tool.Name == error.Function);
                    refused++;
                    continue;
                }
                if (response.FinishReason == ChatFinishReason.Length)
                {
                    cut++;
                    continue;
                }
                calls += Check(
                    response,
                    mode,
                    tools,
                    schemas,
                    wanted,
                    $"{seed}, {mode}: {RandomChat.Written(response)}"
                );
            }
        }
        Figure.Tell($"{calls} calls, {cut} cut, {refused} refused");
        Assert.True(
            calls > Sets * 3 / 2 && cut < Sets && refused < Sets / 2,
            $"{calls} calls, {cut} cut, {refused} refused"
        );
    }

    // How many calls the answer makes, none or one.
    private static int Check(
        ChatResponse response,
        Mode mode,
        AITool[] tools,
        string[] schemas,
        int wanted,
        string what
    )
    {
        FunctionCallContent[] calls = [.. response.Messages[^1].Contents.OfType<FunctionCallContent>()];
        if (calls.Length == 0)
        {
            Assert.True(mode is Mode.Auto or Mode.Strict, what);
            Assert.EndsWith("<|return|>", RandomChat.Written(response));
            return 0;
        }
        FunctionCallContent call = Assert.Single(calls);
        int called = Array.FindIndex(tools, tool => tool.Name == call.Name);
        Assert.True(called >= 0, what);
        Assert.True(mode != Mode.Specific || called == wanted, what);
        Assert.True(call.Exception is null && !call.InformationalOnly, what);
        Assert.EndsWith("<|call|>", RandomChat.Written(response));
        string arguments = RandomChat.LastBody(RandomChat.Written(response));
        using JsonDocument parsed = JsonDocument.Parse(arguments, Strict);
        Assert.True(parsed.RootElement.ValueKind == JsonValueKind.Object, what);
        string? fault = mode == Mode.Auto ? null : new SchemaJudge(schemas[called]).Fault(arguments);
        Assert.True(fault is null, $"{fault}: {what}, for {schemas[called]}");
        return 1;
    }

    private enum Mode
    {
        Auto,
        Strict,
        Any,
        Specific,
    }

    private static ChatToolMode Of(Mode mode, string name) =>
        mode switch
        {
            Mode.Any => ChatToolMode.RequireAny,
            Mode.Specific => ChatToolMode.RequireSpecific(name),
            _ => ChatToolMode.Auto,
        };

    private static string Parameters(Random random) =>
        random.Next(6) == 0
            ? """{"type":"object","properties":{}}"""
            : new WildSchemas(random).Parameters().ToJsonString();

    // Names that begin with each other, so that the header of a call has to be told apart at its last letter.
    private static AIFunctionDeclaration Function(int seed, int index, string schema)
    {
        string[] stems = ["get", "get_weather", "set-x", "a.b"];
        string name = stems[seed % stems.Length] + string.Concat(Enumerable.Repeat("_it", index));
        return AIFunctionFactory.CreateDeclaration(name, "Does it.", JsonElement.Parse(schema));
    }
}
