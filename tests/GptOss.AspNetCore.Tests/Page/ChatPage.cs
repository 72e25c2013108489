using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Playwright;

namespace GptOss.AspNetCore.Tests.Page;

/// <summary>The page as somebody uses it, by the names that its controls have.</summary>
internal sealed class ChatPage
{
    // Notes what a policy of contents has kept from happening, from before the first script on.
    private const string Watch = """
        window.violations = [];
        addEventListener("securitypolicyviolation", e => violations.push(`${e.violatedDirective} ${e.blockedURI}`));
        """;

    private readonly ConcurrentQueue<string> _faults = new();
    private string _expected = "Failed to load resource";

    private ChatPage(IPage page) => Page = page;

    public IPage Page { get; }

    public ILocator Messages => Page.Locator("#messages");

    public ILocator Answer => Page.GetByRole(AriaRole.Article, new() { Name = "Answer" }).Last;

    public ILocator Question => Page.GetByRole(AriaRole.Article, new() { Name = "You" }).Last;

    public ILocator Input => Page.GetByRole(AriaRole.Textbox, new() { Name = "Message", Exact = true });

    public ILocator Settings => Page.GetByRole(AriaRole.Dialog, new() { Name = "Settings" });

    public ILocator Conversations =>
        Page.GetByRole(AriaRole.Navigation, new() { Name = "Earlier conversations" }).GetByRole(AriaRole.Listitem);

    public static async Task<ChatPage> OpenAsync(IBrowserContext context, string address)
    {
        await context.AddInitScriptAsync(Watch);
        var opened = new ChatPage(await context.NewPageAsync());
        opened.Page.PageError += (_, error) => opened._faults.Enqueue($"error: {error}");
        opened.Page.Console += (_, message) =>
        {
            // A status of 400 and more is told to the console, and is what some tests are about.
            if (message.Type == "error" && !message.Text.Contains(opened._expected, StringComparison.Ordinal))
                opened._faults.Enqueue($"console: {message.Text}");
        };
        opened.Page.Request += (_, request) =>
        {
            // A picture within the style, and the program of the sandbox's worker: neither asks the network.
            string[] harmless = [address, "data:image/svg", "blob:null/"];
            if (!harmless.Any(begin => request.Url.StartsWith(begin, StringComparison.Ordinal)))
                opened._faults.Enqueue($"request: {request.Url}");
        };
        await opened.Page.GotoAsync("/");
        return opened;
    }

    /// <summary>A button by its name, the last of that name.</summary>
    public ILocator Button(string name) => Page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true }).Last;

    /// <summary>Asks, and waits until the answer is complete.</summary>
    public async Task AskAsync(string text)
    {
        await BeginAsync(text);
        await EndAsync();
    }

    /// <summary>Asks, and does not wait.</summary>
    public async Task BeginAsync(string text)
    {
        await Input.FillAsync(text);
        await Input.PressAsync("Enter");
    }

    /// <summary>Waits until no answer is made any more.</summary>
    public async Task EndAsync()
    {
        await Assertions.Expect(Button("Send")).ToBeVisibleAsync();
        await Assertions.Expect(Answer.Locator("footer")).ToBeVisibleAsync();
    }

    public async Task OpenSettingsAsync() => await Button("Settings").ClickAsync();

    public async Task SwitchOnAsync(string tool)
    {
        await OpenSettingsAsync();
        await Settings.GetByLabel(tool).CheckAsync();
        await Button("Done").ClickAsync();
    }

    /// <summary>Answers the next requests of the page, in place of the server, with these events of a stream.</summary>
    public Task ScriptAsync(params string[] events) =>
        Page.RouteAsync("**/v1/chat/completions", route =>
            route.FulfillAsync(
                new()
                {
                    ContentType = "text/event-stream",
                    Body = string.Concat(events.Select(data => $"data: {data}\n\n")),
                }
            )
        );

    /// <summary>An event of a stream with these members of its delta, as JSON without the braces.</summary>
    public static string Delta(string members, string? finish = null) =>
        $$"""{"choices":[{"delta":{{{members}}},"finish_reason":{{JsonSerializer.Serialize(finish)}}}]}""";

    /// <summary>Lets the console tell errors with this text, which the test is about.</summary>
    public void Expect(string text) => _expected = text;

    /// <summary>Waits until something shows a text.</summary>
    public static Task ShowsAsync(ILocator place, string text) => Assertions.Expect(place).ToContainTextAsync(text);

    /// <summary>Puts a picture of the page into the folder that <c>GPTOSS_PICTURES</c> names, where it does.</summary>
    public async Task LookAsync(string name)
    {
        if (Environment.GetEnvironmentVariable("GPTOSS_PICTURES") is { Length: > 0 } folder)
            await Page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}.png") });
    }

    /// <summary>Fails where a script failed, a policy was violated, or something elsewhere was asked for.</summary>
    public async Task AssertQuietAsync()
    {
        string[] violations = await Page.EvaluateAsync<string[]>("window.violations");
        Assert.Empty(_faults.Concat(violations));
    }
}
