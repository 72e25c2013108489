using Microsoft.Playwright;

namespace GptOss.AspNetCore.Tests.Page;

/// <summary>The tests of the page, one after the other: they share a browser.</summary>
[CollectionDefinition(Name)]
public sealed class SharedBrowser : ICollectionFixture<Chromium>
{
    public const string Name = "page";
}

/// <summary>One browser without a window, and one scripted server with the page, for all tests of the page.</summary>
public sealed class Chromium : IAsyncLifetime
{
    /// <summary>A name of this machine that a browser takes for another one's.</summary>
    internal const string Elsewhere = "elsewhere.example";

    private const string Variable = "GPTOSS_CHROMIUM";

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    internal TestHost Host { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        // With little patience progress is told at once.
        Host = await TestHost.ScriptedAsync(
            options => options.StreamPatience = TimeSpan.FromMilliseconds(50),
            map: MapAll
        );
        if (Program() is not { } program)
            return;
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(
            new BrowserTypeLaunchOptions
            {
                ExecutablePath = program,
                // In a container neither the sandbox for root nor much shared memory is there.
                Args = ["--no-sandbox", "--disable-dev-shm-usage", $"--host-resolver-rules=MAP {Elsewhere} 127.0.0.1"],
            }
        );
    }

    /// <summary>Maps the API and the page, as <c>gptoss serve</c> does.</summary>
    internal static void MapAll(Microsoft.AspNetCore.Builder.WebApplication app)
    {
        app.MapGptOss();
        app.MapGptOssPage();
    }

    /// <summary>
    /// Opens the page in a profile of its own, lets somebody use it, and looks whether anything happened that must not.
    /// </summary>
    /// <param name="use">Uses the page that is open.</param>
    /// <param name="profile">What differs from a light desktop of 1280 × 800; null for nothing.</param>
    /// <param name="host">The server whose page is opened; null for the scripted one of all tests.</param>
    /// <param name="name">The name that the server is asked by.</param>
    internal async Task UseAsync(
        Func<ChatPage, Task> use,
        BrowserNewContextOptions? profile = null,
        TestHost? host = null,
        string name = "127.0.0.1"
    )
    {
        Assert.SkipWhen(_browser is null, $"There is no chromium on the PATH, nor does ${Variable} name one.");
        profile ??= new BrowserNewContextOptions();
        profile.ViewportSize ??= new ViewportSize { Width = 1280, Height = 800 };
        profile.BaseURL = new UriBuilder((host ?? Host).Address) { Host = name }
            .Uri
            .AbsoluteUri;
        profile.Permissions = ["clipboard-read", "clipboard-write"];
        await using IBrowserContext context = await _browser.NewContextAsync(profile);
        context.SetDefaultTimeout(20_000);
        ChatPage page = await ChatPage.OpenAsync(context, profile.BaseURL);
        await use(page);
        await page.AssertQuietAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
        await Host.DisposeAsync();
    }

    private static string? Program() =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named
            ? named
            : (Environment.GetEnvironmentVariable("PATH") ?? "")
                .Split(Path.PathSeparator)
                .SelectMany(folder => (string[])["chromium", "chromium-browser", "google-chrome"], Path.Combine)
                .FirstOrDefault(File.Exists);
}
