namespace GptOss.AspNetCore.Tests.Page;

/// <summary>What Markdown becomes, in the browser that shows it.</summary>
[Collection(SharedBrowser.Name)]
[Trait("speed", "slow")]
public sealed class MarkdownTests(Chromium chromium)
{
    private const string Render = """
        async (texts) => {
            const { growing } = await import("/page/markdown.js");
            return texts.map((text) => {
                const root = document.createElement("div");
                growing(root)(text);
                return root.innerHTML.replaceAll(/ (target|rel|tabindex|role|aria-label|type)="[^"]*"/g, "");
            });
        }
        """;

    // Documents of random fragments come in random pieces, and end as if they had come at once; a seed is a document.
    private const string Grow = """
        async ([seeds, fragments]) => {
            const { growing } = await import("/page/markdown.js");
            const different = [];
            for (let seed = 1; seed <= seeds; seed++) {
                let state = seed;
                const random = (below) => (state = (state * 1103515245 + 12345) % 2147483648) % below;
                let text = "";
                while (text.length < 300) text += fragments[random(fragments.length)];
                const whole = document.createElement("div"), pieces = document.createElement("div");
                growing(whole)(text);
                const show = growing(pieces);
                for (let end = 1; end < text.length; end += 1 + random(9)) show(text.slice(0, end));
                show(text);
                if (whole.innerHTML !== pieces.innerHTML) different.push([text, whole.innerHTML, pieces.innerHTML].join("\n→ "));
            }
            return different;
        }
        """;

    private static readonly string[] Fragments =
    [
        "word ",
        "# Heading\n",
        "\n",
        "\n\n",
        "- item\n",
        "  - nested\n",
        "1. one\n",
        "2. two\n",
        "```js\n",
        "```\n",
        "let a = \"x\"; // y\n",
        "| a | b |\n|---|--:|\n| 1 | 2 |\n",
        "> quote\n",
        "---\n",
        "**bold** ",
        "*em",
        "* ",
        "`co",
        "de` ",
        "[link](https://a.example) ",
        "https://b.example/c ",
        "<b>",
        "\\(x_1",
        "\\) ",
        "~~~\n",
        "/* open\n",
        "$$",
    ];

    [Fact]
    public Task Marks_become_elements_and_html_stays_text() =>
        chromium.UseAsync(async page =>
        {
            (string Text, string Html)[] cases =
            [
                ("# One\n## Two #\n### C#\n#### ##", "<h2>One</h2><h3>Two</h3><h4>C#</h4><h5></h5>"),
                ("a **b *c* d** e", "<p>a <strong>b <em>c</em> d</strong> e</p>"),
                (
                    "***x*** ~~y~~ snake_case_name _z_",
                    "<p><strong><em>x</em></strong> <del>y</del> snake_case_name <em>z</em></p>"
                ),
                ("2 * 3 * 4 and * alone", "<p>2 * 3 * 4 and * alone</p>"),
                ("a\nb", "<p>a<br>b</p>"),
                ("- a\n- b\n  1. c\n- [x] d", "<ul><li>a</li><li>b<ol><li>c</li></ol></li><li>☑ d</li></ul>"),
                ("3. c\n4. d", "<ol start=\"3\"><li>c</li><li>d</li></ol>"),
                ("- a\n\n- b", "<ul><li><p>a</p></li><li><p>b</p></li></ul>"),
                ("> a\n> > b", "<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote>"),
                ("---", "<hr>"),
                (
                    "| a | b |\n|--:|:-:|\n| `1` | 2\\|3 |",
                    "<div class=\"scroll\"><table><thead><tr><th class=\"right\" scope=\"col\">a</th>"
                        + "<th class=\"center\" scope=\"col\">b</th></tr></thead><tbody><tr><td class=\"right\">"
                        + "<code>1</code></td><td class=\"center\">2|3</td></tr></tbody></table></div>"
                ),
                ("`` a`b `` \\* \\_", "<p><code>a`b</code> * _</p>"),
                (
                    "<b>x</b> &amp; <script>1</script>",
                    "<p>&lt;b&gt;x&lt;/b&gt; &amp;amp; &lt;script&gt;1&lt;/script&gt;</p>"
                ),
                ("[a](https://x.example/y)", "<p><a href=\"https://x.example/y\">a</a></p>"),
                ("[m](mailto:a@x.example)", "<p><a href=\"mailto:a@x.example\">m</a></p>"),
                (
                    "[j](javascript:alert(1)) [d](data:text/html,x) [r](/page)",
                    "<p>[j](javascript:alert(1)) [d](data:text/html,x) [r](/page)</p>"
                ),
                ("![cat](https://x.example/c.png)", "<p><a href=\"https://x.example/c.png\">cat</a></p>"),
                (
                    "See https://x.example/a_b, or not.",
                    "<p>See <a href=\"https://x.example/a_b\">https://x.example/a_b</a>, or not.</p>"
                ),
                (
                    "\\(a_1 * b_1 * c\\) $$x*y*z$$",
                    "<p><span class=\"maths\">\\(a_1 * b_1 * c\\)</span> <span class=\"maths\">$$x*y*z$$</span></p>"
                ),
                (
                    "```sql\nSELECT 'a' -- why\n```",
                    "<div class=\"code\"><div class=\"code-bar\"><span>sql</span><button class=\"quiet\">Copy code</button>"
                        + "</div><pre><code><span class=\"lines\"><span class=\"word\">SELECT</span> "
                        + "<span class=\"string\">'a'</span> <span class=\"comment\">-- why</span>\n</span></code></pre></div>"
                ),
            ];
            string[] rendered = await page.Page.EvaluateAsync<string[]>(Render, cases.Select(one => one.Text));
            Assert.Equal(cases.Select(one => one.Html), rendered);
        });

    [Fact]
    public Task Twelve_languages_have_keywords_comments_strings_and_numbers() =>
        chromium.UseAsync(async page =>
        {
            (string Language, string Code)[] cases =
            [
                ("c", "return 1; // \"c\""),
                ("cpp", "class A { \"s\" 2 /* c */"),
                ("csharp", "string s = \"x\" + 1; // c"),
                ("java", "final int i = 3; /* c"),
                ("js", "const s = 'x' + 1; // c"),
                ("ts", "interface A { \"b\": 1 } // c"),
                ("python", "def f(): return 'x', 1 # c"),
                ("go", "func f() { \"x\"; 1 } // c"),
                ("rust", "fn f() { \"x\"; 1 } // c"),
                ("bash", "if test \"$a\" -eq 1; then # c"),
                ("ruby", "def f; 'x'; 1; end # c"),
                ("sql", "select 'x', 1 -- c"),
            ];
            string[] rendered = await page.Page.EvaluateAsync<string[]>(
                Render,
                cases.Select(one => $"```{one.Language}\n{one.Code}\n```")
            );
            foreach (string html in rendered)
            {
                foreach (string kind in (string[])["word", "number"])
                    Assert.Contains($"class=\"{kind}\"", html, StringComparison.Ordinal);
                Assert.Contains("class=\"comment\"", html, StringComparison.Ordinal);
            }
        });

    [Fact]
    public Task A_text_that_comes_in_pieces_ends_as_one_that_came_at_once() =>
        chromium.UseAsync(async page =>
            Assert.Empty(await page.Page.EvaluateAsync<string[]>(Grow, new object[] { 300, Fragments }))
        );

    [Fact]
    public Task What_is_made_to_be_slow_is_quick() =>
        chromium.UseAsync(async page =>
        {
            string[] texts =
            [
                new('*', 100_000),
                new('`', 100_000),
                new('[', 100_000),
                new('>', 100_000),
                new('\n', 100_000),
                string.Concat(Enumerable.Repeat("*a ", 50_000)),
                string.Concat(Enumerable.Repeat("- ", 50_000)),
                string.Concat(Enumerable.Repeat("[a](", 30_000)),
                "# " + string.Concat(Enumerable.Repeat("*a `b ", 20_000)),
                string.Concat(Enumerable.Repeat("| a ", 30_000)) + "\n|-|\n",
                string.Concat(Enumerable.Repeat("- a\n\n\n", 20_000)),
                "#" + new string(' ', 10_000) + "a\u2028b",
                "# a" + string.Concat(Enumerable.Repeat(" #", 50_000)) + "b",
                "a|b\n-" + new string(' ', 200_000) + "c",
                new string('~', 200_000) + "`",
            ];
            var watch = System.Diagnostics.Stopwatch.StartNew();
            await page.Page.EvaluateAsync<string[]>(Render, texts);
            // A search that is quadratic takes minutes for one of them.
            Assert.InRange(watch.Elapsed.TotalSeconds, 0, 30);
        });
}
