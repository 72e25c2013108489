using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace GptOss.AspNetCore.Tests.Page;

/// <summary>Where things are, in which colours, and what moves.</summary>
[Collection(SharedBrowser.Name)]
[Trait("speed", "slow")]
public sealed class LookTests(Chromium chromium)
{
    [Fact]
    public Task The_column_is_46_rem_and_the_list_a_drawer_on_a_narrow_screen() =>
        chromium.UseAsync(async page =>
        {
            await page.AskAsync("Good day");
            Assert.Equal(46 * 16, (await page.Answer.BoundingBoxAsync())!.Width);
            ILocator list = page.Page.GetByRole(AriaRole.Complementary, new() { Name = "Conversations" });
            await Expect(list).ToBeVisibleAsync();
            await Expect(page.Button("Conversations")).ToBeHiddenAsync();
            await page.Page.SetViewportSizeAsync(799, 800);
            await Expect(list).ToBeHiddenAsync();
            await page.Button("Conversations").ClickAsync();
            await Expect(list).ToBeVisibleAsync();
            await page.Page.Keyboard.PressAsync("Escape");
            await Expect(list).ToBeHiddenAsync();
        });

    [Theory]
    [InlineData(ColorScheme.Light, "dark")]
    [InlineData(ColorScheme.Dark, "light")]
    public Task Light_and_dark_follow_the_system_until_somebody_switches(ColorScheme system, string switched) =>
        chromium.UseAsync(
            async page =>
            {
                Assert.Equal(system == ColorScheme.Dark, await IsDark(page));
                await page.OpenSettingsAsync();
                await page.Settings.GetByLabel("Theme").SelectOptionAsync(switched);
                Assert.NotEqual(system == ColorScheme.Dark, await IsDark(page));
                await page.Page.ReloadAsync();
                await Expect(page.Page.Locator("html")).ToHaveAttributeAsync("data-theme", switched);
                Assert.NotEqual(system == ColorScheme.Dark, await IsDark(page));
            },
            new() { ColorScheme = system }
        );

    [Fact]
    public Task It_scrolls_along_only_while_the_reader_is_at_the_end() =>
        chromium.UseAsync(async page =>
        {
            await page.BeginAsync("LONG 1500 1");
            ILocator scroller = page.Page.Locator("#scroller");
            await ChatPage.ShowsAsync(page.Answer, "word700");
            Assert.InRange(await scroller.EvaluateAsync<double>("e => e.scrollTop"), 100, double.MaxValue);
            await scroller.EvaluateAsync("e => e.scrollTop = 10");
            await Expect(page.Button("To the end")).ToBeVisibleAsync();
            await page.EndAsync();
            Assert.Equal(10, await scroller.EvaluateAsync<double>("e => e.scrollTop"));
            await page.Button("To the end").ClickAsync();
            Assert.InRange(
                await scroller.EvaluateAsync<double>("e => e.scrollHeight - e.scrollTop - e.clientHeight"),
                -1,
                1
            );
        });

    private static async Task<bool> IsDark(ChatPage page) =>
        await page.Page.EvaluateAsync<bool>(
            "getComputedStyle(document.documentElement).backgroundColor.match(/\\d+/)[0] < 100"
        );
}
