using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace GptOss.AspNetCore.Tests.Page;

/// <summary>A question and its answer, as it comes and where it does not.</summary>
[Collection(SharedBrowser.Name)]
[Trait("speed", "slow")]
public sealed partial class TalkTests(Chromium chromium)
{
    private const string Completions = "**/v1/chat/completions";

    [Fact]
    public Task A_question_is_asked_as_a_stream_and_answered() =>
        chromium.UseAsync(async page =>
        {
            IRequest asked = await page.Page.RunAndWaitForRequestAsync(() => page.BeginAsync("Good day"), Completions);
            JsonElement body = JsonElement.Parse(asked.PostData!);
            Assert.True(body.GetProperty("stream").GetBoolean());
            Assert.True(body.GetProperty("stream_options").GetProperty("include_usage").GetBoolean());
            Assert.True(body.GetProperty("return_progress").GetBoolean());
            Assert.Equal("medium", body.GetProperty("reasoning_effort").GetString());
            Assert.False(body.TryGetProperty("tools", out _));
            await page.EndAsync();
            await ChatPage.ShowsAsync(page.Answer.Locator(".text > p"), "Good day");

            // The next question carries the conversation.
            await page.AskAsync("And now?");
            Assert.Equal(
                ["user", "assistant", "user"],
                chromium.Host.Script.Asked.Last().Messages.Select(message => message.Role.Value)
            );
        });

    [Fact]
    public Task A_bar_says_how_far_the_prompt_is_read() =>
        chromium.UseAsync(async page =>
        {
            await page.BeginAsync("READ 1000 1500\nSAY Read.");
            await Expect(page.Answer.GetByText(Reading())).ToBeVisibleAsync();
            await Expect(page.Answer.GetByRole(AriaRole.Progressbar)).ToBeVisibleAsync();
            await page.EndAsync();
            await ChatPage.ShowsAsync(page.Answer, "Read.");
            await Expect(page.Answer.GetByRole(AriaRole.Progressbar)).ToBeHiddenAsync();
        });

    [Fact]
    public Task Reasoning_is_folded_with_its_seconds() =>
        chromium.UseAsync(async page =>
        {
            await page.BeginAsync("THINK Let me see.\nSLEEP 1200\nSAY Done.");
            await ChatPage.ShowsAsync(page.Answer.Locator("summary"), "Thinking…");
            await page.EndAsync();
            await ChatPage.ShowsAsync(page.Answer.Locator("summary"), "Thought for 1 s");
            await Expect(page.Answer.GetByText("Let me see.")).ToBeHiddenAsync();
            await page.Answer.Locator("summary").ClickAsync();
            await Expect(page.Answer.GetByText("Let me see.")).ToBeVisibleAsync();
        });

    [Fact]
    public Task Stop_ends_the_request_and_keeps_what_came() =>
        chromium.UseAsync(async page =>
        {
            await page.BeginAsync("LONG 1000 20");
            await ChatPage.ShowsAsync(page.Answer, "word5");
            await page.Button("Stop").ClickAsync();
            await page.EndAsync();
            await ChatPage.ShowsAsync(page.Answer, "word5");
            await ChatPage.ShowsAsync(page.Answer, "You stopped the answer here.");
            await TestHost.UntilAsync(() => chromium.Host.Script.Running == 0);
        });

    [Fact]
    public Task An_error_stands_in_the_message_and_can_be_tried_again() =>
        chromium.UseAsync(async page =>
        {
            await page.ScriptAsync("""{"error":{"message":"The disk is full.","code":"internal_error"}}""");
            await page.BeginAsync("Good day");
            await ChatPage.ShowsAsync(page.Answer.Locator(".error"), "The disk is full.");
            await page.Page.UnrouteAllAsync();
            await page.Button("Try again").ClickAsync();
            await ChatPage.ShowsAsync(page.Answer, "Good day");
            await Expect(page.Answer.Locator(".error")).ToBeHiddenAsync();
            // What failed without a word is no version to go back to.
            await Expect(page.Answer.Locator(".branches")).ToBeHiddenAsync();

            await page.Page.RouteAsync(Completions, route => route.AbortAsync());
            await page.BeginAsync("Are you there?");
            await ChatPage.ShowsAsync(page.Answer.Locator(".error"), "The server cannot be reached.");
        });

    [Fact]
    public Task A_broken_connection_keeps_the_part_and_marks_it() =>
        chromium.UseAsync(async page =>
        {
            await page.ScriptAsync(
                ChatPage.Delta(
                    """
                    "content":"Half of it"
                    """
                )
            );
            await page.BeginAsync("Good day");
            await page.EndAsync();
            await ChatPage.ShowsAsync(page.Answer, "Half of it");
            await ChatPage.ShowsAsync(page.Answer, "The answer is not complete.");
            await page.Page.UnrouteAllAsync();
            await page.Button("Try again").ClickAsync();
            await ChatPage.ShowsAsync(page.Answer.Locator(".branches"), "2/2");
        });

    [Fact]
    public Task A_busy_server_is_asked_again_when_it_says() =>
        chromium.UseAsync(async page =>
        {
            int busy = 2;
            await page.Page.RouteAsync(Completions, route => busy-- > 0
                    ? route.FulfillAsync(
                        new()
                        {
                            Status = 503,
                            Headers = new Dictionary<string, string> { ["Retry-After"] = "1" },
                            Body = """{"error":{"message":"All seats are taken.","code":"overloaded"}}""",
                        }
                    )
                    : route.ContinueAsync());
            await page.BeginAsync("Good day");
            await ChatPage.ShowsAsync(page.Answer, "All seats are taken. Trying again in 1 s.");
            await page.EndAsync();
            await ChatPage.ShowsAsync(page.Answer.Locator(".text > p"), "Good day");
        });

    [Fact]
    public Task An_answer_goes_on_while_another_conversation_is_read() =>
        chromium.UseAsync(async page =>
        {
            await page.BeginAsync("LONG 60 20");
            await ChatPage.ShowsAsync(page.Answer, "word1");
            await page.Button("New conversation").ClickAsync();
            await page.AskAsync("Something else");
            await page
                .Conversations.GetByRole(AriaRole.Button, new() { Name = "LONG 60 20", Exact = true })
                .ClickAsync();
            await page.EndAsync();
            await ChatPage.ShowsAsync(page.Answer, "word59");
        });

    [GeneratedRegex(@"Reading \d+ %")]
    private static partial Regex Reading();
}
