using System.Diagnostics;
using System.Text.RegularExpressions;
using GptOss.Hub;
using GptOss.Tests.Cli;

namespace GptOss.Tests.Hub;

/// <summary><c>gptoss pull</c> as a process: what a person sees, and what is left where it is ended.</summary>
[Trait("speed", "slow")] // every case is a process
public sealed class PullCommandTests : DownloadTest
{
    [Fact]
    public void From_pull_to_the_first_answer_are_two_commands()
    {
        Fake.Files.Clear();
        foreach (string file in Directory.EnumerateFiles(TinyGptOss.Folder))
            Fake.Files[Path.GetFileName(file)] = File.ReadAllBytes(file);

        ToolRun pull = HubTool.Run(Home, Fake, "pull", "gpt-oss-20b");

        Assert.Equal((0, Layout.Snapshot(FakeHub.Commit) + "\n"), (pull.ExitCode, pull.Output));
        Assert.EndsWith("gptoss: gpt-oss-20b is complete. Try: gptoss chat --model gpt-oss-20b\n", pull.Error);
        ToolRun run = HubTool.Run(
            Home,
            null,
            "run",
            "What is 345 + 678?",
            "--temperature",
            "0",
            "--model",
            "gpt-oss-20b"
        );
        Assert.Equal("345 + 678 = 1023.\n", run.Output);
        Assert.Matches(
            $@"^gptoss: gpt-oss-20b \(safetensors, 4\.\d MB\): {Regex.Escape(Layout.Snapshot(FakeHub.Commit))}\n$",
            run.Error
        );

        ToolRun again = HubTool.Run(Home, Fake, "pull", "openai/gpt-oss-20b");
        Assert.Equal(pull.Output, again.Output);
        Assert.Equal("gptoss: gpt-oss-20b is up to date. Try: gptoss chat --model gpt-oss-20b\n", again.Error);

        // Whoever names no model is told of the one that is here.
        ToolRun tiny = HubTool.Run(Home, null, "run", "What is 345 + 678?", "--temperature", "0");
        Assert.Equal(
            "gptoss: the tiny model answers, which knows little more than sums. For one that is on this machine: --model gpt-oss-20b\n",
            tiny.Error
        );
    }

    [Fact]
    public void Without_a_model_one_line_says_who_answers_and_what_to_type()
    {
        ToolRun run = HubTool.Run(Home, null, "run", "What is 345 + 678?", "--temperature", "0");
        Assert.Equal("345 + 678 = 1023.\n", run.Output);
        Assert.Equal(
            "gptoss: the tiny model answers, which knows little more than sums. For the real one: 'gptoss pull gpt-oss-20b' (13.8 GB), then --model gpt-oss-20b\n",
            run.Error
        );
        ToolRun chat = HubTool.Run(Home, null, "chat");
        Assert.StartsWith("gptoss: the tiny model answers", chat.Error);
        ToolRun missing = HubTool.Run(Home, null, "chat", "--model", "gpt-oss-20b");
        missing.AssertRefused(1, "No model is in any store. 'gptoss pull gpt-oss-20b' fetches it.");
    }

    [Fact]
    public void What_is_wrong_is_one_line()
    {
        HubTool
            .Run(Home, Fake, "pull", "gpt-oss")
            .AssertRefused(2, "'gpt-oss' is no name of a repository: gpt-oss-20b, gpt-oss-120b or OWNER/NAME.");
        HubTool
            .Run(Home, Fake, "pull", "gpt-oss-120b")
            .AssertRefused(
                1,
                "openai/gpt-oss-120b: there is no such repository at 127.0.0.1, or it is private: check the name, or set HF_TOKEN."
            );
        Fake.Files.Clear();
        Fake.Files["m-Q4_K_M.gguf"] = Home.Gguf(bytes: 1200);
        Fake.Files["m-Q8_0.gguf"] = Home.Gguf(bytes: 2200);
        HubTool
            .Run(Home, Fake, "pull", "gpt-oss-20b")
            .AssertRefused(
                2,
                "openai/gpt-oss-20b: it has 2 GGUF models; name one of them: m-Q4_K_M.gguf (1.2 kB), m-Q8_0.gguf (2.2 kB)."
            );
        ToolRun one = HubTool.Run(Home, Fake, "pull", "gpt-oss-20b", "Q8_0", "--to", Path.Join(Home.Path, "plain"));
        Assert.Equal(Path.Join(Home.Path, "plain", "m-Q8_0.gguf") + "\n", one.Output);
    }

    [Fact]
    public void Where_no_terminal_is_a_plain_line_a_second_tells_the_progress()
    {
        Fake.AtStore = request =>
            Fake.StoreAnswer(request) with
            {
                DripBytes = 10_000,
                DripPause = TimeSpan.FromMilliseconds(90),
            };
        ToolRun run = HubTool.Run(Home, Fake, "pull", "gpt-oss-20b");
        string[] lines = run.Error.TrimEnd().Split('\n');
        Assert.InRange(lines.Length, 3, 8); // about 2 s
        Assert.All(lines[1..^1], line =>
            Assert.Matches(@"^gptoss: [\d.]+ of 400\.\d kB(, [\d.]+ \w+/s, \d+ s left)?$", line)
        );
    }

    [Fact]
    public async Task Ctrl_C_keeps_what_has_arrived_and_says_how_to_go_on()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "Windows has no signals.");
        Fake.AtStore = request =>
            Fake.StoreAnswer(request) with
            {
                Body = Fake.Files[request.Path[1..]][..50_000],
                Length = 200_000 + (request.Path == $"/{Second}" ? 1 : 0),
                IsSilentAtTheEnd = true,
            };
        using Process process = HubTool.Start(Home, Fake, "pull", "gpt-oss-20b");
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string partial = Layout.Partial(FakeHub.Hash(Fake.Files[Second]));
        while (!File.Exists(partial) || new FileInfo(partial).Length < 50_000)
            await Task.Delay(20, TestContext.Current.CancellationToken);
        await Task.Delay(200, TestContext.Current.CancellationToken);
        using (Process kill = Process.Start("kill", ["-INT", $"{process.Id}"]))
            await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        Tool.WaitForEnd(process);
        Assert.Equal(1, process.ExitCode);
        Assert.Matches(
            @"gptoss: stopped\. [\d.]+ of 400\.\d kB are kept\. 'gptoss pull gpt-oss-20b' goes on\.\n$",
            await error
        );

        ToolRun list = HubTool.Run(Home, null, "list");
        Assert.Matches(
            @"gpt-oss-20b +100\.\d of 400\.\d kB +6cee5e81ee83 +2 files +gptoss pull gpt-oss-20b\n",
            list.Output
        );
        Fake.AtStore = _ => null;
        Assert.Equal(0, HubTool.Run(Home, Fake, "pull", "gpt-oss-20b").ExitCode);
        AssertWhole(Layout.Snapshot(FakeHub.Commit));
        Assert.Contains(Fake.Requests, request => request.Request.From == 50_000);
    }

    [Fact]
    public async Task Killed_at_random_it_goes_on_and_the_files_are_right()
    {
        int kills = Long.IsLong ? 50 : 4;
        var random = new Random(14);
        Fake.AtStore = request =>
            Fake.StoreAnswer(request) with
            {
                DripBytes = 8000,
                DripPause = TimeSpan.FromMilliseconds(10),
            };
        for (int killed = 0; killed < kills; )
        {
            using Process process = HubTool.Start(Home, Fake, "pull", "gpt-oss-20b");
            // Every other time it is ended while bytes arrive, else also at its beginning.
            while (killed % 2 == 0 && !process.HasExited && !HasArrived())
                await Task.Delay(10, TestContext.Current.CancellationToken);
            await Task.Delay(random.Next(0, 400), TestContext.Current.CancellationToken);
            if (!process.HasExited)
            {
                process.Kill();
                killed++;
            }
            Tool.WaitForEnd(process);
            if (process.ExitCode != 0)
                continue;
            AssertWhole(Layout.Snapshot(FakeHub.Commit));
            Directory.Delete(Hub, recursive: true);
        }
        ToolRun last = HubTool.Run(Home, Fake, "pull", "gpt-oss-20b");
        Assert.True(last.ExitCode == 0, last.Error);
        AssertWhole(Layout.Snapshot(FakeHub.Commit));
        Assert.Contains(Fake.Requests, request => request.Request.From > 0);
    }

    [Fact]
    public async Task Two_processes_at_once_fetch_every_byte_once()
    {
        Fake.AtStore = request =>
            Fake.StoreAnswer(request) with
            {
                DripBytes = 10_000,
                DripPause = TimeSpan.FromMilliseconds(30),
            };
        ToolRun[] runs = await Task.WhenAll(
            Task.Run(() => HubTool.Run(Home, Fake, "pull", "gpt-oss-20b")),
            Task.Run(() => HubTool.Run(Home, Fake, "pull", "gpt-oss-20b"))
        );
        Assert.All(runs, run => Assert.True(run.ExitCode == 0, run.Error));
        AssertWhole(Layout.Snapshot(FakeHub.Commit));
        foreach (string file in (string[])[First, Second])
            Assert.Single(Fake.Lines(), line => line.StartsWith($"* GET /{file}", StringComparison.Ordinal));
    }

    [Fact]
    public void On_a_terminal_a_bar_is_shown_and_taken_away()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/script"), "The program script of util-linux makes up a terminal.");
        Fake.AtStore = request =>
            Fake.StoreAnswer(request) with
            {
                DripBytes = 10_000,
                DripPause = TimeSpan.FromMilliseconds(30),
            };
        string command = $"dotnet {Path.Combine(AppContext.BaseDirectory, "GptOss.Cli.dll")} pull gpt-oss-20b";
        ProcessStartInfo start = HubTool.Info(Home, Fake, "script", "-qec", command, "/dev/null");
        start.Environment["TERM"] = "xterm-256color";
        start.Environment["SHELL"] = "/bin/sh";
        start.StandardOutputEncoding = System.Text.Encoding.UTF8;
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        string seen = process.StandardOutput.ReadToEnd();
        Tool.WaitForEnd(process);
        Assert.Contains("━━━", seen);
        Assert.Matches(@"of 400\.\d kB, [\d.]+ \w+/s, ", seen);
        Assert.Contains("gptoss: gpt-oss-20b is complete.", seen);
    }

    [Fact]
    public async Task Python_and_this_library_shut_each_other_out()
    {
        string path = Path.Join(Home.Path, "lock");
        using Process? python = StartPython(path);
        Assert.SkipWhen(python is null, "There is no python3 with fcntl here.");
        Assert.Equal("held", await python.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        Assert.Null(FileLock.TryTake(path));
        python.StandardInput.Close();
        Tool.WaitForEnd(python);
        using IDisposable? held = FileLock.TryTake(path);
        Assert.NotNull(held);
        using Process other = StartPython(path)!;
        Assert.Equal("busy", await other.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        other.StandardInput.Close();
        Tool.WaitForEnd(other);
    }

    private bool HasArrived() =>
        new FileInfo(Layout.Partial(FakeHub.Hash(Fake.Files[First]))) is { Exists: true, Length: > 0 };

    private Process? StartPython(string path)
    {
        const string Script = """
            import fcntl, sys
            f = open(sys.argv[1], 'a')
            try:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
                print('held', flush=True)
            except BlockingIOError:
                print('busy', flush=True)
            sys.stdin.read()
            """;
        try
        {
            return OperatingSystem.IsLinux()
                ? Process.Start(HubTool.Info(Home, null, "python3", "-c", Script, path))
                : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
