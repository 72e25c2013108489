using Microsoft.Playwright;

namespace GptOss.AspNetCore.Tests.Page;

/// <summary>The page stays smooth while a long answer comes fast.</summary>
[Collection(SharedBrowser.Name)]
[Trait("speed", "slow")]
public sealed class SpeedTests(Chromium chromium)
{
    // Counts the elements that are made anew while a text grows by 64 characters at a time.
    private const string Count = """
        async ([unit, times]) => {
            const { growing } = await import("/page/markdown.js");
            const root = document.createElement("div");
            const show = growing(root);
            let most = 0;
            const look = new MutationObserver(() => {});
            look.observe(root, { childList: true, subtree: true });
            const whole = unit.repeat(times);
            for (let end = 64; end <= whole.length; end += 64) {
                show(whole.slice(0, end));
                const added = look.takeRecords().flatMap((record) => [...record.addedNodes]);
                most = Math.max(most, added.reduce((sum, node) => sum + node.textContent.length, 0));
            }
            return most;
        }
        """;

    [Theory]
    [InlineData("word ", 8_000)] // one paragraph without an end
    [InlineData("A sentence of a paragraph.\n\n", 1_500)]
    [InlineData("- an item\n", 4_000)]
    [InlineData("> a quote\n", 4_000)]
    [InlineData("1. one\n\n   two\n\n", 2_500)]
    public Task Only_the_block_that_grows_is_made_anew(string unit, int times) =>
        chromium.UseAsync(async page =>
            // A block ends at 4,000 characters; the text is 40,000 long. Marks and joints take the rest.
            Assert.InRange(await page.Page.EvaluateAsync<int>(Count, new object[] { unit, times }), 1, 10_000)
        );

    [Fact]
    public Task Of_code_that_grows_only_the_last_line_is_made_anew() =>
        chromium.UseAsync(async page =>
        {
            const string Code = """
                async () => {
                    const { growing } = await import("/page/markdown.js");
                    const root = document.createElement("div");
                    const show = growing(root);
                    const whole = "```js\n" + "const a = 1; // one\n".repeat(2000);
                    show(whole.slice(0, 40));
                    const look = new MutationObserver(() => {});
                    look.observe(root, { childList: true, subtree: true });
                    let most = 0;
                    for (let end = 56; end <= whole.length; end += 16) {
                        show(whole.slice(0, end));
                        most = Math.max(most, look.takeRecords().flatMap((record) => [...record.addedNodes]).length);
                    }
                    return most;
                }
                """;
            Assert.InRange(await page.Page.EvaluateAsync<int>(Code), 1, 40);
        });

    /// <summary>
    /// With <c>GPTOSS_LONG</c> 32,000 tokens at 500 a second, and no frame over 50 ms: that needs a machine of its
    /// own. In CI 1,000 tokens, without a bound of time.
    /// </summary>
    [Fact]
    [Trait("kind", "long")]
    public Task Typing_goes_on_while_an_answer_comes_at_500_tokens_a_second() =>
        chromium.UseAsync(async page =>
        {
            bool isLong = Long.IsLong;
            int tokens = isLong ? 32_000 : 1_000;
            await page.BeginAsync($"LONG {tokens} 2");
            await ChatPage.ShowsAsync(page.Answer, "word10");
            await page.Page.EvaluateAsync(
                """
                window.frames50 = []; window.frameCount = 0;
                let before = performance.now();
                requestAnimationFrame(function next(now) {
                    frameCount++;
                    if (now - before > 50) frames50.push(Math.round(now - before));
                    before = now;
                    requestAnimationFrame(next);
                });
                """
            );
            const string Typed = "twenty keys are typed";
            foreach (char key in Typed)
            {
                await page.Page.Keyboard.PressAsync(key == ' ' ? "Space" : key.ToString());
                await page.Page.WaitForTimeoutAsync(isLong ? 2_000 : 20);
            }
            await Assertions.Expect(page.Button("Send")).ToBeVisibleAsync(new() { Timeout = 120_000 });
            await Assertions.Expect(page.Input).ToHaveValueAsync(Typed);
            await ChatPage.ShowsAsync(page.Answer, $"word{tokens - 1}");
            int[] slow = await page.Page.EvaluateAsync<int[]>("frames50");
            int count = await page.Page.EvaluateAsync<int>("frameCount");
            Figure.Tell(
                $"{tokens} tokens, {count} frames, {slow.Length} over 50 ms: {string.Join(' ', slow.Take(50))}"
            );
            if (isLong)
                Assert.Empty(slow);
        });
}
