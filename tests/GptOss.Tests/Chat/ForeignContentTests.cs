using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using static GptOss.Tests.Chat.ChatScript;

namespace GptOss.Tests.Chat;

/// <summary>
/// What other clients and frameworks put into histories: nothing foreign ends a request but what a user wants read.
/// </summary>
public sealed class ForeignContentTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static readonly FunctionCallContent AskedCall = new("9", "g");

    private static readonly Dictionary<string, AIContent> Foreign = new()
    {
        ["reasoning"] = new TextReasoningContent("SECRET"),
        ["hosted file"] = new HostedFileContent("SECRET"),
        ["hosted store"] = new HostedVectorStoreContent("SECRET"),
        ["error"] = new ErrorContent("SECRET"),
        ["usage"] = new UsageContent(new UsageDetails()),
        ["approval request"] = new ToolApprovalRequestContent("SECRET", AskedCall),
        ["approval response"] = new ToolApprovalResponseContent("SECRET", true, AskedCall),
        ["input request"] = new InputRequest("SECRET"),
        ["mcp call"] = new McpServerToolCallContent("SECRET", "SECRET", "SECRET"),
        ["mcp result"] = new McpServerToolResultContent("SECRET"),
        ["tool call"] = new ToolCallContent("SECRET"),
        ["tool result"] = new ToolResultContent("SECRET"),
        ["search"] = new WebSearchToolCallContent("SECRET"),
        ["interpreter"] = new CodeInterpreterToolCallContent("SECRET"),
        ["image generation"] = new ImageGenerationToolCallContent("SECRET"),
        ["nothing known"] = new AIContent(),
        ["of somebody's own"] = new Own(),
    };

    public static TheoryData<string> Kinds => [.. Foreign.Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Foreign_contents_are_passed_over_in_every_role_and_an_emptied_message_vanishes(string kind)
    {
        string alone = await Prompt(new ChatMessage(ChatRole.User, "Go"), new ChatMessage(ChatRole.User, "Well?"));
        string beside = await Prompt(
            new ChatMessage(ChatRole.User, "Go"),
            new ChatMessage(ChatRole.User, "beforeafter"),
            new ChatMessage(ChatRole.User, "Well?")
        );
        foreach (ChatRole role in new[] { ChatRole.System, ChatRole.User, ChatRole.Assistant, ChatRole.Tool })
        {
            if (kind is "reasoning" && role == ChatRole.Assistant)
                continue; // that is the model's own
            bool vanishes = kind is not "usage" and not "nothing known" || role != ChatRole.User;
            string prompt = await Prompt(
                new ChatMessage(ChatRole.User, "Go"),
                new ChatMessage(role, [Foreign[kind]]),
                new ChatMessage(ChatRole.User, "Well?")
            );
            Assert.DoesNotContain("SECRET", prompt);
            if (vanishes)
                Assert.Equal(alone, prompt);
            if (role == ChatRole.User)
            {
                Assert.Equal(
                    beside,
                    await Prompt(
                        new ChatMessage(ChatRole.User, "Go"),
                        new ChatMessage(role, [new TextContent("before"), Foreign[kind], new TextContent("after")]),
                        new ChatMessage(ChatRole.User, "Well?")
                    )
                );
            }
        }
    }

    [Theory]
    [InlineData("image/png")]
    [InlineData("audio/wav")]
    [InlineData("video/mp4")]
    [InlineData("application/pdf")]
    public async Task A_picture_sound_or_file_is_refused_of_a_user_only(string media)
    {
        AIContent[] contents =
        [
            new DataContent(new byte[] { 1 }, media),
            new UriContent("https://example.org/x", media),
        ];
        foreach (AIContent content in contents)
        {
            var error = await Assert.ThrowsAsync<NotSupportedException>(() =>
                Prompt(new ChatMessage(ChatRole.User, [content]))
            );
            Assert.Contains(media, error.Message);
            Assert.DoesNotContain("<|start|>", error.Message);
            foreach (ChatRole role in new[] { ChatRole.System, ChatRole.Assistant })
                Assert.DoesNotContain(media, await Prompt(new ChatMessage(role, [content])));
            // A tool has acted already: the model is told what came.
            Assert.Contains(media, await Prompt(new ChatMessage(ChatRole.Tool, [content])));
        }
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("text/csv")]
    [InlineData("TEXT/Markdown; charset=utf-8")]
    [InlineData("application/json")]
    [InlineData("application/ld+json")]
    [InlineData("application/xml")]
    public async Task Attachments_of_text_are_read_by_whoever_sends_them(string media)
    {
        var note = new DataContent("größer\n1,2"u8.ToArray(), media) { Name = "note.txt" };
        string prompt = await Prompt(
            new ChatMessage(ChatRole.User, [new TextContent("Read this."), note, new TextContent("Now.")])
        );

        Assert.EndsWith("<|message|>Read this.\n\nnote.txt:\ngrößer\n1,2\n\nNow.<|end|><|start|>assistant", prompt);
        Assert.Contains("größer", await Prompt(new ChatMessage(ChatRole.System, [note])));
        Assert.Contains("größer", await Prompt(new ChatMessage(ChatRole.Tool, [note])));
    }

    [Fact]
    public async Task A_call_without_a_result_is_left_out_whatever_its_flag_says()
    {
        string prompt = await Prompt(
            new(ChatRole.User, "Go"),
            new(
                ChatRole.Assistant,
                [
                    new TextContent("Calling."),
                    new FunctionCallContent("1", "lost"),
                    new FunctionCallContent("2", "made") { InformationalOnly = true },
                ]
            ),
            new(ChatRole.Tool, [new FunctionResultContent("2", "two")]),
            new(ChatRole.User, "Well?")
        );

        Assert.DoesNotContain("lost", prompt);
        Assert.Contains(
            "<|channel|>commentary<|message|>Calling.<|end|><|start|>assistant<|channel|>commentary to=functions.made",
            prompt
        );
    }

    [Fact]
    public async Task A_call_in_somebody_else_s_mouth_is_no_call_and_its_result_still_says_something()
    {
        string prompt = await Prompt(
            new(ChatRole.User, [new TextContent("Go"), new FunctionCallContent("1", "mine")]),
            new(ChatRole.Tool, [new FunctionResultContent("1", "one")])
        );

        Assert.DoesNotContain("mine", prompt);
        Assert.EndsWith(
            "<|start|>functions.unknown to=assistant<|channel|>commentary<|message|>one<|end|><|start|>assistant",
            prompt
        );
    }

    [Fact]
    public async Task What_was_passed_over_is_logged_by_its_kind()
    {
        using var log = new Journal(LogLevel.Debug);
        await new TokenScript(Greeting)
            .Client(log)
            .GetResponseAsync(
                [
                    new(
                        ChatRole.User,
                        [new TextContent("Hi"), new HostedFileContent("SECRET"), new HostedFileContent("SECRET")]
                    ),
                ],
                Options(),
                Stop
            );

        string line = Assert.Single(log.Lines, line => line.Contains("passed over", StringComparison.Ordinal));
        Assert.EndsWith("HostedFileContent (user).", line);
    }

    [Theory]
    [InlineData("script", false)]
    [InlineData("openai/script", false)]
    [InlineData("SCRIPT", false)]
    [InlineData("gpt-4o", true)]
    [InlineData("evil\nline", true)]
    public async Task Another_model_s_name_is_a_line_in_the_log(string name, bool isLogged)
    {
        using var log = new Journal(LogLevel.Information);
        ChatOptions options = Options();
        options.ModelId = name;
        ChatResponse response = await new TokenScript(Greeting).Client(log).GetResponseAsync("Hi", options, Stop);

        Assert.Equal("script", response.ModelId);
        Assert.Equal(isLogged, log.Lines.Any(line => line.Contains("was asked for", StringComparison.Ordinal)));
        Assert.All(log.Lines, line => Assert.DoesNotContain('\n', line));
    }

    private static async Task<string> Prompt(params ChatMessage[] messages)
    {
        var source = new TokenScript(Greeting);
        await source.Client().GetResponseAsync(messages, Options(), Stop);
        return source.Prompt();
    }

    private sealed class Own : AIContent;

    private sealed class InputRequest(string id) : InputRequestContent(id);
}
