using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace GptOss.AspNetCore.Tests.Page;

/// <summary>axe, which looks for what people with a disability stumble over, finds nothing in any state.</summary>
[Collection(SharedBrowser.Name)]
[Trait("speed", "slow")]
public sealed class AxeTests(Chromium chromium)
{
    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public Task Nothing_is_found_in_eight_states(ColorScheme scheme) =>
        chromium.UseAsync(
            async page =>
            {
                await LookAsync(page, "welcome");
                await page.BeginAsync("READ 1000 20000");
                await ChatPage.ShowsAsync(page.Answer, "Reading");
                await LookAsync(page, "reading");
                await page.Button("Stop").ClickAsync();
                await page.AskAsync(
                    "THINK Hm.\nWRITE # A\\n\\n> b `c` [d](https://e.example)\\n\\n- f\\n\\n| g |\\n|--|\\n| 1 |\\n\\n```js\\n"
                        + "const a = \"x\" + 1; // y\\n```"
                );
                await page.Answer.Locator("summary").ClickAsync();
                await LookAsync(page, "answer");
                await page.SwitchOnAsync("Calculator");
                await page.AskAsync("CALL calculator {\"expression\": \"1 + 2\"}");
                await page.Answer.Locator("summary").ClickAsync();
                await LookAsync(page, "call");
                await page.AskAsync("FAIL");
                await LookAsync(page, "error");
                await page.Button("Edit").ClickAsync();
                await LookAsync(page, "edit");
                await page.OpenSettingsAsync();
                await page.Settings.GetByText("A tool of your own").ClickAsync();
                await LookAsync(page, "settings");
                await page.Button("Done").ClickAsync();
                await page.Page.SetViewportSizeAsync(360, 640);
                await page.Button("Conversations").ClickAsync();
                await page.Page.WaitForTimeoutAsync(250);
                await LookAsync(page, "list");
            },
            new() { ColorScheme = scheme }
        );

    private static async Task LookAsync(ChatPage page, string state)
    {
        AxeResult found = await page.Page.RunAxe();
        Assert.True(
            found.Violations.Length == 0,
            string.Join(
                '\n',
                found.Violations.Select(violation =>
                    $"{state}: {violation.Id}: {string.Join(" | ", violation.Nodes.Select(node => node.Html))}"
                )
            )
        );
    }
}
