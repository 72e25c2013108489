using Microsoft.Playwright;

namespace GptOss.AspNetCore.Tests.Page;

/// <summary>
/// The page at the sizes of a telephone and of a desktop: nothing is wider than the screen. With
/// <c>GPTOSS_PICTURES</c> naming a folder, the pictures are put there, to be looked at.
/// </summary>
[Collection(SharedBrowser.Name)]
[Trait("speed", "slow")]
public sealed class PictureTests(Chromium chromium)
{
    private const string Rich = """
        ## Recursion\nA function that **calls itself** on a smaller piece of the problem, until the piece is so small that the answer is plain.\n\n1. Find the case that is *trivial*.\n2. Reduce every other case to a smaller one.\n   - the smaller one must come nearer to the trivial one\n   - else it never ends\n\n```csharp\n// The factorial of n: n! = n · (n − 1)!\nstatic long Factorial(int n) => n <= 1 ? 1 : n * Factorial(n - 1);\n\nConsole.WriteLine($"5! = {Factorial(5)}"); // 120\n```\n\n| n | n! | digits |\n|--:|--:|:--|\n| 5 | 120 | 3 |\n| 20 | 2432902008176640000 | 19 |\n\n> To understand recursion, one must first understand recursion.\n\nMore in [the encyclopaedia](https://en.wikipedia.org/wiki/Recursion), and `Factorial(21)` no longer fits.
        """;

    [Theory]
    [InlineData(360, 640, ColorScheme.Light)]
    [InlineData(360, 640, ColorScheme.Dark)]
    [InlineData(1280, 800, ColorScheme.Light)]
    [InlineData(1280, 800, ColorScheme.Dark)]
    public Task Nothing_is_wider_than_the_screen(int width, int height, ColorScheme scheme) =>
        chromium.UseAsync(
            async page =>
            {
                string name = $"{width}-{scheme}".ToLowerInvariant();
                await Look("welcome");
                await page.AskAsync("Explain recursion with an example.");
                await page.AskAsync($"THINK Recursion needs a base case. I will show a factorial.\nWRITE {Rich}");
                await Look("answer");
                await page.Messages.EvaluateAsync("e => e.lastChild.scrollIntoView()");
                await Look("answer-begin");
                await page.SwitchOnAsync("Calculator");
                await page.AskAsync("CALL calculator {\"expression\": \"345 + 678\"}");
                await page.Answer.Locator("summary").First.ClickAsync();
                await Look("tool");
                await page.AskAsync("FAIL");
                await page.BeginAsync("READ 5000 3000\nSAY That was long.");
                await ChatPage.ShowsAsync(page.Answer, "Reading");
                await Look("reading");
                await page.Button("Stop").ClickAsync();
                await page.OpenSettingsAsync();
                await Look("settings");
                await page.Button("Done").ClickAsync();
                if (width < 800)
                    await page.Button("Conversations").ClickAsync();
                await Look("list");

                async Task Look(string state)
                {
                    await page.LookAsync($"{name}-{state}");
                    int[] wide = await page.Page.EvaluateAsync<int[]>(
                        "[document.documentElement, ...document.querySelectorAll('#scroller, dialog[open], main')]"
                            + ".map(e => e.scrollWidth - e.clientWidth)"
                    );
                    Assert.All(wide, pixels => Assert.InRange(pixels, 0, 0));
                }
            },
            new()
            {
                ViewportSize = new() { Width = width, Height = height },
                ColorScheme = scheme,
            }
        );
}
