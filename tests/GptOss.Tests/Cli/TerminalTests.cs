using System.Diagnostics;
using System.Text;

namespace GptOss.Tests.Cli;

/// <summary>The tool at a terminal, which the program <c>script</c> of util-linux makes up.</summary>
[Trait("speed", "slow")] // every case is a process
public sealed class TerminalTests : IDisposable
{
    private const string Prompt = "\u001b[2m> \u001b[0m";
    private const string Answer = "345 + 678 = 1023.";

    private readonly StringBuilder _seen = new();
    private Process? _script;

    public void Dispose()
    {
        if (_script is { HasExited: false })
            _script.Kill(entireProcessTree: true);
        _script?.Dispose();
    }

    [Fact]
    public void A_bar_shows_the_loading_and_is_taken_away()
    {
        Start("chat");
        string begin = Await(Prompt);
        Assert.Contains("━━━", begin);
        Assert.Contains("100%", begin);
        Assert.Contains("/help lists the commands.", begin[begin.LastIndexOf("\u001b[2K", StringComparison.Ordinal)..]);
        End("/exit");
    }

    [Fact]
    public void Reasoning_is_dimmed_and_can_be_folded_into_a_line()
    {
        Start("chat");
        Await(Prompt);
        string open = Ask("What is 345 + 678?");
        // As it comes, token by token
        Assert.Contains("\u001b[2m3\u001b[0m\u001b[2m4\u001b[0m\u001b[2m5\u001b[0m", open);
        Assert.EndsWith("\r\n\r\n" + Answer + "\r\n" + Prompt, open); // the answer is not dimmed

        Assert.Contains("Reasoning: folded", Ask("/fold"));
        string folded = Ask("What is 345 + 678?");
        Assert.Matches(@"\r\u001b\[K\u001b\[2mthinking … \d\.\d s\u001b\[0m", folded);
        Assert.Matches(@"\r\u001b\[K\u001b\[2mthought for \d+\.\d s\u001b\[0m\r\n\r\n345 \+ 678 = 1023\.\r\n", folded);
        Assert.Matches(@"\u001b\[2m345\+678:.*\u001b\[0m\r\n", Ask("/reasoning"));
        End("/exit");
    }

    [Fact]
    public void The_key_Ctrl_C_stops_the_answer_and_keeps_the_conversation()
    {
        Start("chat");
        Await(Prompt);
        Ask("What is 345 + 678?");
        Type("one two three four " + string.Concat(Enumerable.Repeat("five six seven eight ", 190)) + "\n");
        Await("\r\n");
        Thread.Sleep(100); // it reads by now, and is not done for seconds
        Type("\u0003");
        Assert.Contains("(stopped)", Await(Prompt));
        Assert.Matches(@"answers +2\r\n", Ask("/stats"));

        Type("\u0003");
        Assert.Contains("Ctrl+C once more", Await("> "));
        Assert.Contains("Cleared", Ask("/clear")); // and goes on
        Assert.Contains(Answer, Ask("What is 345 + 678?"));
        End("/exit");
    }

    [Fact]
    public void A_saved_conversation_goes_on()
    {
        using var folder = new TemporaryFolder();
        string file = Path.Combine(folder.Path, "saved.json");
        Start("chat");
        Await(Prompt);
        Ask("What is 345 + 678?");
        Assert.Contains("Saved: 2 messages", Ask($"/save {file}"));
        Assert.Equal([file], Directory.GetFiles(folder.Path));
        Ask("/clear");
        Assert.Contains("Loaded: 2 messages", Ask($"/load {file}"));
        Assert.DoesNotContain("no reasoning", Ask("/reasoning"));
        Assert.DoesNotContain("context  0 of", Ask("/stats"));
        End("/exit");
    }

    [Fact]
    public void A_living_line_says_how_much_is_read_and_that_the_model_thinks()
    {
        Start(
            "run",
            "'" + string.Concat(Enumerable.Repeat("one two three four ", 150)) + "What is 345 + 678?'",
            "--max-tokens",
            "5"
        );
        string seen = Await("\r\n", afterwards: "thinking");

        Assert.Matches(
            @"\r\u001b\[Kreading 0 of 2,\d\d\d tokens\r\u001b\[Kreading 512 of 2,\d\d\d tokens\r\u001b\[K",
            seen
        );
        Assert.Matches(@"\r\u001b\[Kthinking, \d+ s", seen);
        // It is taken away before the answer stands there.
        Assert.EndsWith(
            "\r\u001b[Kgptoss: No answer came within 5 tokens. A model thinks before it answers: raise --max-tokens.\r\n",
            seen
        );
    }

    [Fact]
    public void A_mistake_is_a_line_and_the_conversation_goes_on()
    {
        Start("chat");
        Await(Prompt);
        Assert.Contains("gptoss: There is no command /nope.", Ask("/nope"));
        Assert.Contains("gptoss: 'none.json' cannot be read: there is no such file.", Ask("/load none.json"));
        Assert.Contains("Effort: low", Ask("/effort low"));
        End("/exit");
    }

    private void Start(params string[] arguments)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/script"), "There is no program 'script' to make up a terminal.");
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The program 'script' of other systems takes other options.");
        string tool = Path.Combine(AppContext.BaseDirectory, "GptOss.Cli.dll");
        // "exec", for a shell that waits gets the Ctrl+C as well, and dash then ends with 130 whatever the tool
        // answered.
        var start = new ProcessStartInfo(
            "/usr/bin/script",
            ["-qefc", $"exec dotnet '{tool}' {string.Join(' ', arguments)} --temperature 0", "/dev/null"]
        )
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            StandardOutputEncoding = Encoding.UTF8,
        };
        start.Environment.Remove("GPTOSS_MODEL");
        start.Environment.Remove("NO_COLOR");
        start.Environment["SHELL"] = "/bin/sh";
        start.Environment["TERM"] = "xterm-256color";
        _script = Process.Start(start)!;
    }

    private void Type(string keys)
    {
        _script!.StandardInput.Write(keys);
        _script.StandardInput.Flush();
    }

    /// <summary>
    /// Types a line and returns what the screen shows up to the next prompt, the line's echo included.
    /// </summary>
    private string Ask(string line)
    {
        Type(line + "\n");
        return Await(Prompt);
    }

    /// <summary>Reads on until the text has come, behind another one if that is named; returns what came.</summary>
    private string Await(string text, string afterwards = "")
    {
        var deadline = Stopwatch.StartNew();
        var came = new StringBuilder();
        var buffer = new char[4096];
        while (
            came.ToString().IndexOf(afterwards, StringComparison.Ordinal) is var behind
            && (behind < 0 || came.ToString().IndexOf(text, behind, StringComparison.Ordinal) < 0)
        )
        {
            Task<int> read = _script!.StandardOutput.ReadAsync(buffer, 0, buffer.Length);
            Assert.True(
                read.Wait(TimeSpan.FromSeconds(60) - deadline.Elapsed),
                $"'{text}' did not come after: {_seen}"
            );
            Assert.True(read.Result > 0, $"The end came instead of '{text}' after: {_seen}");
            came.Append(buffer, 0, read.Result);
            _seen.Append(buffer, 0, read.Result);
        }
        return came.ToString();
    }

    private void End(string line)
    {
        Type(line + "\n");
        Task<string> rest = _script!.StandardOutput.ReadToEndAsync();
        Tool.WaitForEnd(_script);
        Assert.Equal(0, _script.ExitCode);
        Assert.DoesNotContain("Unexpected", rest.Result);
    }
}
