using System.Text.Json;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace GptOss.AspNetCore.Tests.Page;

/// <summary>What a reader sets, and does with a message.</summary>
[Collection(SharedBrowser.Name)]
[Trait("speed", "slow")]
public sealed class ControlTests(Chromium chromium)
{
    [Fact]
    public Task Effort_and_panel_are_sent_and_found_again() =>
        chromium.UseAsync(async page =>
        {
            await page.Page.GetByLabel("Effort").SelectOptionAsync("high");
            await page.OpenSettingsAsync();
            await page.Settings.GetByLabel("System prompt").FillAsync("Answer in rhymes.");
            await page.Settings.GetByLabel("Temperature").FillAsync("0.3");
            await page.Settings.GetByLabel("Most tokens").FillAsync("77");
            await page.Button("Done").ClickAsync();
            await page.Page.ReloadAsync();
            IRequest asked = await page.Page.RunAndWaitForRequestAsync(
                () => page.BeginAsync("Good day"),
                "**/v1/chat/completions"
            );
            JsonElement body = JsonElement.Parse(asked.PostData!);
            Assert.Equal("high", body.GetProperty("reasoning_effort").GetString());
            Assert.Equal(0.3, body.GetProperty("temperature").GetDouble());
            Assert.Equal(77, body.GetProperty("max_completion_tokens").GetInt32());
            JsonElement first = body.GetProperty("messages")[0];
            Assert.Equal(
                ("system", "Answer in rhymes."),
                (first.GetProperty("role").GetString(), first.GetProperty("content").GetString())
            );
            await page.EndAsync();
        });

    [Fact]
    public Task Meter_and_pace_come_from_the_server() =>
        chromium.UseAsync(async page =>
        {
            await page.Page.RouteAsync("**/v1/models", route =>
                route.FulfillAsync(new() { Body = """{"data":[{"id":"gpt-oss-20b","max_model_len":131072}]}""" })
            );
            await page.Page.ReloadAsync();
            await page.ScriptAsync(
                ChatPage.Delta("\"content\":\"Yes.\"", "stop"),
                """{"choices":[],"usage":{"total_tokens":3120},"timings":{"predicted_per_second":10.2}}"""
            );
            await page.AskAsync("Good day");
            await ChatPage.ShowsAsync(page.Page.Locator("#meter"), "3,120 of 131,072 tokens");
            await ChatPage.ShowsAsync(page.Answer.Locator(".stats"), "10.2 tokens/s, first word after ");
        });

    [Fact]
    public Task Edit_and_regenerate_make_branches_to_go_between() =>
        chromium.UseAsync(async page =>
        {
            await page.AskAsync("First");
            await page.Button("Edit").ClickAsync();
            await page.Page.GetByLabel("Edit the message").FillAsync("Second");
            await page.Question.GetByRole(AriaRole.Button, new() { Name = "Send" }).ClickAsync();
            await ChatPage.ShowsAsync(page.Answer, "Second");
            await ChatPage.ShowsAsync(page.Question.Locator(".branches"), "2/2");
            await page.Question.GetByRole(AriaRole.Button, new() { Name = "Earlier version" }).ClickAsync();
            await ChatPage.ShowsAsync(page.Answer.Locator(".text > p"), "First");
            await page.EndAsync();
            await page.Button("Answer again").ClickAsync();
            await ChatPage.ShowsAsync(page.Answer.Locator(".branches"), "2/2");
            await page.EndAsync();
            await page.Page.ReloadAsync();
            await page.Conversations.First.GetByRole(AriaRole.Button).First.ClickAsync();
            await ChatPage.ShowsAsync(page.Question, "1/2");
            await ChatPage.ShowsAsync(page.Answer, "2/2");
        });

    [Fact]
    public Task Answers_and_code_are_copied_as_they_were_written() =>
        chromium.UseAsync(async page =>
        {
            await page.AskAsync("WRITE Some **code**:\\n\\n```js\\nlet a = 1;\\n\\nlet b;\\n```");
            await page.Answer.GetByRole(AriaRole.Button, new() { Name = "Copy", Exact = true }).ClickAsync();
            Assert.Equal("Some **code**:\n\n```js\nlet a = 1;\n\nlet b;\n```", await Clipboard(page));
            await page.Button("Copy code").ClickAsync();
            Assert.Equal("let a = 1;\n\nlet b;", await Clipboard(page));
        });

    [Fact]
    public Task A_deleted_message_takes_along_what_follows_it() =>
        chromium.UseAsync(async page =>
        {
            await page.AskAsync("First");
            await page.AskAsync("Second");
            page.Page.Dialog += (_, dialog) => dialog.AcceptAsync();
            await page.Question.GetByRole(AriaRole.Button, new() { Name = "Delete from here on" }).ClickAsync();
            await Expect(page.Messages.GetByRole(AriaRole.Article)).ToHaveCountAsync(2);
            await page.AskAsync("Third");
            Assert.Equal(
                ["First", "First", "Third"],
                chromium.Host.Script.Asked.Last().Messages.Select(message => message.Text)
            );
        });

    private static Task<string> Clipboard(ChatPage page) =>
        page.Page.EvaluateAsync<string>("navigator.clipboard.readText()");
}
