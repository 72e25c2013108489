using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using static Microsoft.Playwright.Assertions;

namespace GptOss.AspNetCore.Tests.Page;

/// <summary>The page over a real model, the tiny one.</summary>
[Collection(SharedBrowser.Name)]
[Trait("speed", "slow")]
public sealed partial class TinyPageTests(Chromium chromium)
{
    [Fact]
    public async Task The_tiny_model_answers_a_person()
    {
        await using GptOssChatClient model = await GptOssChatClient.LoadAsync(
            TinyGptOss.Folder,
            cancellationToken: TestContext.Current.CancellationToken
        );
        await using TestHost host = await TestHost.StartAsync(
            builder =>
            {
                builder.Services.AddSingleton<IChatClient>(model);
                builder.Services.AddGptOssServer();
            },
            Chromium.MapAll
        );
        await chromium.UseAsync(
            async page =>
            {
                await ChatPage.ShowsAsync(page.Page.Locator("#welcome"), "The tiny model answers");
                await page.OpenSettingsAsync();
                await page.Settings.GetByLabel("Temperature").FillAsync("0");
                await page.Button("Done").ClickAsync();
                await page.Button("What is 345 + 678?").ClickAsync();
                await page.EndAsync();
                await ChatPage.ShowsAsync(page.Answer.Locator(".parts > .text"), "345 + 678 = 1023.");
                await Expect(page.Page.Locator("#meter")).ToHaveTextAsync(Meter());
                await page.AskAsync("What is 56 + 78?");
                await ChatPage.ShowsAsync(page.Answer.Locator(".parts > .text"), "134");
                await page.Answer.Locator("summary").First.ClickAsync();
                await page.LookAsync("page");
            },
            host: host
        );
    }

    [GeneratedRegex(@"^\d+ of [\d,]+ tokens$")]
    private static partial Regex Meter();
}
