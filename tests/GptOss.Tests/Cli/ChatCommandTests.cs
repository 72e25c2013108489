using System.Diagnostics;
using GptOss.Tests.TinyModel;

namespace GptOss.Tests.Cli;

[Trait("speed", "slow")] // every case is a process
public sealed class ChatCommandTests
{
    private const string Question = "What is 345 + 678?";
    private const string Answer = "345 + 678 = 1023.\n";

    [Fact]
    public void Redirected_it_writes_the_answers_alone()
    {
        ToolRun run = Chat(Question, "", "Who are you?");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.StartsWith(Answer, run.Output);
        Assert.DoesNotContain('\u001b', run.Output);
        Assert.Equal(2, run.Output.TrimEnd('\n').Split('\n').Length);
    }

    [Fact]
    public void The_instructions_and_the_effort_can_be_changed()
    {
        ToolRun run = Chat(
            "/system Susan lives in Madrid.",
            "Where does Susan live?",
            "/effort high",
            Question,
            "/reasoning"
        );
        string[] lines = run.Output.Split('\n');
        Assert.Equal("System: Susan lives in Madrid.", lines[0]);
        Assert.Contains("Madrid", lines[1]);
        Assert.Equal(["Effort: high", Answer.TrimEnd()], lines[2..4]);
        Assert.NotEqual("The last answer has no reasoning.", lines[4]);
        Assert.NotEmpty(lines[4]);
    }

    [Fact]
    public void Unfolded_reasoning_stands_above_the_answer()
    {
        string output = Chat("/fold", Question).Output;
        Assert.Matches($"^Reasoning: unfolded\n.+\n\n{System.Text.RegularExpressions.Regex.Escape(Answer)}$", output);
    }

    [Fact]
    public void A_damaged_file_is_refused_with_one_line_and_the_conversation_stays()
    {
        using var folder = new TemporaryFolder();
        string file = Path.Combine(folder.Path, "damaged.json");
        File.WriteAllText(file, "{\"format\":\"gptoss-conversation\",");

        ToolRun run = Chat(Question, $"/load {file}", "/stats");

        Assert.Matches(@"\n  answers\s+1\n", run.Output);
        Assert.Matches("^gptoss: '[^\n]*damaged.json' is no saved conversation[^\n]*\n$", run.Error);
        Assert.Equal(1, run.ExitCode);
    }

    [Fact]
    public void Text_out_of_a_pipe_writes_no_file()
    {
        using var folder = new TemporaryFolder();
        ToolRun run = Chat(Question, $"/save {Path.Combine(folder.Path, "saved.json")}");

        Assert.Equal((1, Answer), (run.ExitCode, run.Output));
        Assert.Equal(
            "gptoss: /save is obeyed at a terminal only: text that comes through a pipe writes no files.\n",
            run.Error
        );
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void Clearing_forgets_and_exit_ends()
    {
        ToolRun run = Chat(Question, "/clear", "/reasoning", "/exit", Question);
        Assert.Equal((0, Answer + "Cleared\nThe last answer has no reasoning.\n"), (run.ExitCode, run.Output));
    }

    [Fact]
    public void Statistics_count_the_tokens()
    {
        string output = Chat(Question, "/stats").Output;
        Assert.Matches(
            @"\n  tokens in all\s+[1-9][0-9]* in, \d+ of them cached; [1-9][0-9]* out, [1-9][0-9]* of them reasoning\n",
            output
        );
        Assert.Matches(@"\n  context\s+[1-9][0-9]* of 4,096 tokens\n$", output);
    }

    [Fact]
    public void Tools_are_listed_and_help_lists_the_commands()
    {
        string output = Chat("/tools on", "/help").Output;
        Assert.StartsWith("Tools: on\n  get_current_time: ", output);
        Assert.All(
            (string[])["/effort", "/tools", "/system", "/save", "/load", "/clear", "/stats", "/help", "/exit"],
            command => Assert.Contains($"\n{command} ", output)
        );
    }

    [Theory]
    [InlineData("/nope", "There is no command /nope")]
    [InlineData("/effort huge", "low, medium or high")]
    [InlineData("/tools maybe", "on or off")]
    [InlineData("/load", "needs the name of a file")]
    [InlineData("/load no-such-file.json", "no-such-file.json")]
    [InlineData("/load .", "'.' is no saved conversation: it is a folder")]
    [InlineData("/load no-such-folder/x.json", "'no-such-folder/x.json' cannot be read: there is no such file.")]
    [InlineData("/load /dev/null", "'/dev/null' is no saved conversation")]
    public void A_command_that_cannot_be_obeyed_is_one_line_and_exit_code_1(string line, string message) =>
        Chat(line).AssertRefused(1, message);

    [Fact]
    public async Task Ctrl_C_stops_the_answer_and_keeps_the_conversation()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no signals to send.");
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        using var wide = new WideTinyModel();
        using Process process = Tool.Start(["chat", "--temperature", "0", "--model", wide.Path]);
        process.StandardInput.AutoFlush = true;

        await process.StandardInput.WriteLineAsync("/effort low");
        Assert.Equal("Effort: low", await process.StandardOutput.ReadLineAsync(cancellation)); // it is loaded

        // The tiny model reads thousands of words for many seconds before it can answer.
        await process.StandardInput.WriteLineAsync(string.Concat(Enumerable.Repeat("one two three four ", 10_000)));
        await process.StandardInput.WriteLineAsync("/stats");
        await Task.Delay(TimeSpan.FromSeconds(1), cancellation); // by now it reads
        Process.Start("kill", ["-s", "INT", $"{process.Id}"]).Dispose();
        await process.StandardInput.WriteLineAsync("/clear");
        await process.StandardInput.WriteLineAsync("/effort medium");
        await process.StandardInput.WriteLineAsync(Question);
        process.StandardInput.Close();
        string output = await process.StandardOutput.ReadToEndAsync(cancellation);
        Tool.WaitForEnd(process);

        Assert.Equal(0, process.ExitCode);
        Assert.Matches(@"\n  answers\s+1\n", output);
        Assert.EndsWith("Cleared\nEffort: medium\n" + Answer, output);
    }

    private static ToolRun Chat(params string[] lines) =>
        Tool.Run(["chat", "--temperature", "0"], string.Join('\n', lines) + "\n");
}
