using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace GptOss.AspNetCore.Tests.Page;

/// <summary>Conversations are found again, in this browser alone.</summary>
[Collection(SharedBrowser.Name)]
[Trait("speed", "slow")]
public sealed class HistoryTests(Chromium chromium)
{
    [Fact]
    public Task A_conversation_is_there_after_the_page_was_closed() =>
        chromium.UseAsync(async page =>
        {
            await page.AskAsync("THINK Hm.\nSAY Remember the cellar.");
            await page.Page.ReloadAsync();
            await Expect(page.Messages.GetByRole(AriaRole.Article)).ToHaveCountAsync(0);
            await page.Conversations.First.GetByRole(AriaRole.Button).First.ClickAsync();
            await ChatPage.ShowsAsync(page.Answer, "Remember the cellar.");
            await ChatPage.ShowsAsync(page.Answer, "Thought for 1 s");
            await page.AskAsync("Go on");
            Assert.Equal(3, chromium.Host.Script.Asked.Last().Messages.Count);
        });

    [Fact]
    public Task An_answer_whose_page_was_closed_is_marked() =>
        chromium.UseAsync(async page =>
        {
            await page.BeginAsync("LONG 1000 20");
            await ChatPage.ShowsAsync(page.Answer, "word150");
            await page.Page.ReloadAsync();
            await page.Conversations.First.GetByRole(AriaRole.Button).First.ClickAsync();
            await ChatPage.ShowsAsync(page.Answer, "word50");
            await ChatPage.ShowsAsync(page.Answer, "The answer is not complete.");
        });

    [Fact]
    public Task A_search_finds_every_word_anywhere() =>
        chromium.UseAsync(async page =>
        {
            foreach (string topic in (string[])["Red apples", "Green pears", "Red wine"])
            {
                await page.AskAsync($"SAY {topic} in the cellar");
                await page.Button("New conversation").ClickAsync();
            }
            await Expect(page.Conversations).ToHaveCountAsync(3);
            ILocator search = page.Page.GetByRole(AriaRole.Searchbox);
            await search.FillAsync("cellar red");
            await Expect(page.Conversations).ToHaveCountAsync(2);
            await search.FillAsync("blue");
            await ChatPage.ShowsAsync(page.Page.Locator("#conversations"), "Nothing found.");
        });

    [Fact]
    public Task What_is_exported_can_be_imported_and_everything_deleted() =>
        chromium.UseAsync(async page =>
        {
            page.Page.Dialog += (_, dialog) => dialog.AcceptAsync();
            await page.SwitchOnAsync("Calculator");
            await page.AskAsync("CALL calculator {\"expression\": \"6 * 7\"}");
            await page.OpenSettingsAsync();
            IDownload download = await page.Page.RunAndWaitForDownloadAsync(() => page.Button("Export").ClickAsync());
            await page.Button("Delete all").ClickAsync();
            await Expect(page.Conversations).ToHaveCountAsync(0);
            await page.Settings.GetByLabel("Import").SetInputFilesAsync(await download.PathAsync());
            await ChatPage.ShowsAsync(page.Settings, "1 taken.");
            await page
                .Settings.GetByLabel("Import")
                .SetInputFilesAsync(new FilePayload { Name = "other.json", Buffer = "{\"a\":1}"u8.ToArray() });
            await ChatPage.ShowsAsync(page.Settings, "Not taken: the file should be an export of this page");
            await page.Button("Done").ClickAsync();
            await page.Conversations.First.GetByRole(AriaRole.Button).First.ClickAsync();
            await ChatPage.ShowsAsync(page.Answer, "The tool said: 42");
            await page.Page.ReloadAsync();
            await Expect(page.Conversations).ToHaveCountAsync(1);
            await page.Button("Delete CALL calculator {\"expression\": \"6 * 7\"}").ClickAsync(new() { Force = true });
            await Expect(page.Conversations).ToHaveCountAsync(0);
        });

    [Fact]
    public Task Over_plain_http_from_another_machine_all_works_but_copying() =>
        chromium.UseAsync(
            async page =>
            {
                Assert.False(await page.Page.EvaluateAsync<bool>("isSecureContext"));
                await page.AskAsync("Good day");
                await Expect(page.Conversations).ToHaveCountAsync(1);
                await Expect(page.Page.GetByText("Copy", new() { Exact = true })).ToHaveCountAsync(2);
                await Expect(page.Page.GetByText("Copy", new() { Exact = true }).First).ToBeHiddenAsync();
            },
            name: Chromium.Elsewhere
        );

    [Fact]
    public async Task A_key_is_asked_for_once_and_kept_for_the_session()
    {
        await using TestHost host = await TestHost.ScriptedAsync(
            options => options.ApiKeys.Add("sesame"),
            map: Chromium.MapAll
        );
        await chromium.UseAsync(
            async page =>
            {
                ILocator dialog = page.Page.GetByRole(AriaRole.Dialog, new() { Name = "This server needs a key" });
                await dialog.GetByLabel("Key", new() { Exact = true }).FillAsync("wrong");
                await page.Button("Continue").ClickAsync();
                await ChatPage.ShowsAsync(dialog, "This key is not one of the server's.");
                await dialog.GetByLabel("Key", new() { Exact = true }).FillAsync("sesame");
                await page.Button("Continue").ClickAsync();
                await ChatPage.ShowsAsync(page.Page.Locator("#model"), "gpt-oss-20b");
                await page.Page.ReloadAsync();
                await page.AskAsync("Good day");
                await ChatPage.ShowsAsync(page.Answer.Locator(".text > p"), "Good day");
                Assert.Equal("sesame", await page.Page.EvaluateAsync<string>("sessionStorage.getItem('gptoss-key')"));
                Assert.DoesNotContain("sesame", await page.Page.EvaluateAsync<string>("JSON.stringify(localStorage)"));
            },
            host: host
        );
    }
}
