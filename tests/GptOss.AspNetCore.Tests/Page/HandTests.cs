using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace GptOss.AspNetCore.Tests.Page;

/// <summary>The page by keys, by touch, and for who does not see it.</summary>
[Collection(SharedBrowser.Name)]
[Trait("speed", "slow")]
public sealed class HandTests(Chromium chromium)
{
    [Fact]
    public Task Keys_send_break_stop_search_begin_and_edit() =>
        chromium.UseAsync(async page =>
        {
            await page.Input.FillAsync("one");
            await page.Input.PressAsync("Shift+Enter");
            await page.Input.PressSequentiallyAsync("two");
            await Expect(page.Input).ToHaveValueAsync("one\ntwo");
            await page.Input.PressAsync("Enter");
            await page.EndAsync();
            await Expect(page.Question.Locator(".bubble")).ToHaveTextAsync("one\ntwo");

            await page.Input.PressAsync("ArrowUp");
            await Expect(page.Page.GetByLabel("Edit the message")).ToHaveValueAsync("one\ntwo");
            await Expect(page.Page.GetByLabel("Edit the message")).ToBeFocusedAsync();
            await page.Page.Keyboard.PressAsync("Escape");
            await Expect(page.Page.GetByLabel("Edit the message")).ToHaveCountAsync(0);

            await page.Page.Keyboard.PressAsync("Control+k");
            await Expect(page.Page.GetByRole(AriaRole.Searchbox)).ToBeFocusedAsync();
            await page.Page.Keyboard.PressAsync("Control+Shift+O");
            await Expect(page.Messages.GetByRole(AriaRole.Article)).ToHaveCountAsync(0);
            await Expect(page.Input).ToBeFocusedAsync();

            await page.BeginAsync("LONG 1000 20");
            await ChatPage.ShowsAsync(page.Answer, "word3");
            await page.Page.Keyboard.PressAsync("Escape");
            await ChatPage.ShowsAsync(page.Answer, "You stopped the answer here.");
        });

    [Fact]
    public Task On_touch_enter_breaks_the_line() =>
        chromium.UseAsync(
            async page =>
            {
                await page.Input.FillAsync("one");
                await page.Input.PressAsync("Enter");
                await Expect(page.Input).ToHaveValueAsync("one\n");
                await page.Button("Send").TapAsync();
                await page.EndAsync();
            },
            new()
            {
                HasTouch = true,
                IsMobile = true,
                ViewportSize = new() { Width = 360, Height = 640 },
            }
        );

    [Fact]
    public Task Tab_reaches_every_control_with_a_focus_that_shows() =>
        chromium.UseAsync(async page =>
        {
            await page.AskAsync("WRITE a\\n\\n```js\\n1\\n```");
            string[] reached = await TabAsync(page, 40);
            foreach (
                string name in (string[])
                    [
                        "New conversation",
                        "Search the conversations",
                        "Settings",
                        "Edit",
                        "Copy code",
                        "Answer again",
                        "ask",
                    ]
            )
                Assert.Contains(name, reached);
            Assert.DoesNotContain("no focus shown", reached);
            Assert.DoesNotContain("", reached);
        });

    [Fact]
    public Task Begin_and_end_of_an_answer_are_said_and_nothing_between() =>
        chromium.UseAsync(async page =>
        {
            await page.Page.EvaluateAsync(
                """
                window.said = [];
                new MutationObserver(() => said.push(document.querySelector("[aria-live]").textContent))
                    .observe(document.querySelector("[aria-live]"), { childList: true });
                """
            );
            await page.AskAsync("SAY one two three four");
            Assert.Equal(
                ["The answer begins.", "The answer is complete."],
                await page.Page.EvaluateAsync<string[]>("said")
            );
        });

    [Fact]
    public Task With_reduced_motion_nothing_moves() =>
        chromium.UseAsync(
            async page =>
            {
                await page.BeginAsync("SLEEP 600\nSAY Done.");
                await Expect(page.Answer.Locator(".status.waits")).ToBeVisibleAsync();
                Assert.Equal(0, await page.Page.EvaluateAsync<int>("document.getAnimations().length"));
                await page.EndAsync();
            },
            new() { ReducedMotion = ReducedMotion.Reduce }
        );

    [Theory]
    [InlineData(640, 400)] // 1280 × 800 at 200 %
    [InlineData(360, 640)]
    public Task Everything_can_be_reached_at_200_percent_and_360_pixels(int width, int height) =>
        chromium.UseAsync(
            async page =>
            {
                await page.AskAsync(
                    "WRITE " + new string('w', 300) + "\\n\\n| a | b |\\n|--|--|\\n| " + new string('c', 200) + " | d |"
                );
                Assert.Equal(
                    0,
                    await page.Page.EvaluateAsync<int>(
                        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
                    )
                );
                foreach (string name in (string[])["Send", "Settings", "Conversations"])
                    await Expect(page.Button(name)).ToBeInViewportAsync(new() { Ratio = 1 });
                await page.OpenSettingsAsync();
                await page.Button("Delete all").ScrollIntoViewIfNeededAsync();
                await Expect(page.Button("Delete all")).ToBeInViewportAsync(new() { Ratio = 1 });
            },
            new()
            {
                ViewportSize = new() { Width = width, Height = height },
            }
        );

    /// <summary>The names of what Tab reaches from the top of the page on.</summary>
    private static async Task<string[]> TabAsync(ChatPage page, int times)
    {
        var names = new List<string>();
        await page.Page.EvaluateAsync("document.activeElement.blur()");
        for (int i = 0; i < times; i++)
        {
            await page.Page.Keyboard.PressAsync("Tab");
            names.Add(
                await page.Page.EvaluateAsync<string>(
                    """
                    (() => {
                        const e = document.activeElement;
                        if (e === document.body) return "body";
                        const box = e.closest(".box") ?? e;
                        const shows = (one) => getComputedStyle(one).outlineStyle !== "none"
                            || getComputedStyle(one).boxShadow.includes("1px");
                        if (!shows(e) && !shows(box)) return "no focus shown";
                        return e.getAttribute("aria-label") === "Message" ? "ask"
                            : e.getAttribute("aria-label") || e.labels?.[0]?.textContent || e.textContent;
                    })()
                    """
                )
            );
        }
        return [.. names];
    }
}
