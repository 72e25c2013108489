using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using GptOss.Tests.Adapter;
using GptOss.Tests.Oracles;
using GptOss.Tests.TinyModel;

namespace GptOss.Tests.Cli;

[Trait("speed", "slow")] // every case is a process
public sealed class RunCommandTests
{
    // The tiny model adds numbers of three digits without a mistake, whatever today's date in its system message.
    private const string Question = "What is 345 + 678?";
    private const string Answer = "345 + 678 = 1023.\n";

    [Fact]
    public void The_answer_of_the_tiny_model_is_plain_text()
    {
        ToolRun run = Tool.Run("run", Question, "--temperature", "0");
        Assert.Equal((0, Answer, ""), (run.ExitCode, run.Output, run.Error));
    }

    [Fact]
    public void An_answer_is_held_to_the_form_that_the_options_name()
    {
        using var folder = new TemporaryFolder();
        string schema = Path.Combine(folder.Path, "schema.json"),
            grammar = Path.Combine(folder.Path, "list.gbnf");
        File.WriteAllText(schema, """{"type":"object","properties":{"sum":{"const":1023}},"required":["sum"]}""");
        File.WriteAllText(grammar, "root ::= \"- \" [a-z]{1,8} \"!\"");
        Assert.Matches("^(yes|no)\n$", Tool.Run("run", Question, "--choices", "yes,no").Output);
        Assert.Matches("^[0-9]{3}\n$", Tool.Run("run", Question, "--regex", "[0-9]{3}").Output);
        Assert.Matches("^{\\s*\"sum\":\\s*1023\\s*}\n$", Tool.Run("run", Question, "--schema", schema).Output);
        Assert.Matches("^- [a-z]{1,8}!\n$", Tool.Run("run", "Hello!", "--grammar", grammar).Output);
    }

    [Fact]
    public void A_form_that_cannot_be_held_to_is_told_before_a_model_is_loaded()
    {
        using var folder = new TemporaryFolder();
        string file = Path.Combine(folder.Path, "schema.json");
        File.WriteAllText(file, """{"type":"string","maxLenght":3}""");
        Tool.Run("run", "hi", "--schema", file).AssertRefused(1, "maxLength");
        Tool.Run("run", "hi", "--schema", file).AssertRefused(1, "--schema " + file);
        File.WriteAllText(file, "{");
        Tool.Run("run", "hi", "--schema", file).AssertRefused(2, "schema.json");
        File.WriteAllText(file, "{\"minimun\":3}", Encoding.UTF8); // with a mark in front
        Tool.Run("run", "hi", "--schema", file).AssertRefused(1, "did you mean 'minimum'");
        foreach (string option in (string[])["--schema", "--grammar"])
        {
            ToolRun missing = Tool.Run("run", "hi", option, "no-such-file");
            missing.AssertRefused(1, $"{option} should name a file that can be read: ");
            missing.AssertRefused(1, "no-such-file");
        }
        Tool.Run("run", "hi", "--regex", "(").AssertRefused(1, "pattern");
        Tool.Run("run", "hi", "--regex", "a", "--choices", "b").AssertRefused(2, "exclude");
        Tool.Run("run", "hi", "--regex", "a", "--raw").AssertRefused(2, "--regex");
    }

    [Theory]
    [InlineData]
    [InlineData("-")]
    public void The_question_may_come_from_standard_input(params string[] dash) =>
        Assert.Equal(Answer, Tool.Run(["run", "--temperature", "0", .. dash], input: Question + "\n").Output);

    [Fact]
    public void The_model_is_the_given_one_then_that_of_the_environment()
    {
        Tool.Run(["run", "hi"], "", model: "no-such-folder").AssertRefused(1, "no-such-folder");
        Tool.Run(["run", "hi", "--model", "another-one"], "", model: "no-such-folder").AssertRefused(1, "another-one");
        Assert.Equal(Answer, Tool.Run(["run", Question, "--temperature", "0"], "", model: "").Output);
    }

    [Fact]
    public void An_adapter_is_applied_to_the_model_or_refused()
    {
        string[] question = ["run", Question, "--temperature", "0", "--model", TinyGptOss.Folder, "--adapter"];
        Tool.Run([.. question, "no-such-folder"]).AssertRefused(1, "no-such-folder");
        Tool.Run([.. question, ""]).AssertRefused(2, "--adapter is an empty text");
        using var folder = new TemporaryFolder();
        AdapterVectors.Write(folder, "attention"); // of a fixture with other sizes
        Tool.Run([.. question, folder.Path]).AssertRefused(1, "for this base but is F32");

        // A module that replaces the base's: first by itself, then by zeros, of which all logits are equal.
        TinyTensor norm = FineTunes.Read(TinyGptOss.Folder)["model.norm.weight"];
        Write(norm);
        Assert.Equal(Answer, Tool.Run([.. question, folder.Path]).Output);
        Write(norm with { Data = new byte[norm.Data.Length] });
        Assert.NotEqual(0, Tool.Run([.. question, folder.Path]).ExitCode);

        void Write(TinyTensor tensor) =>
            AdapterVectors.Write(folder, "attention", tensors: _ =>
                new() { ["base_model.model.model.norm.weight"] = tensor }
            );
    }

    [Fact]
    public void The_same_seed_gives_the_same_answer_and_threads_change_nothing()
    {
        string[] arguments = ["run", "Hello!", "--temperature", "2", "--seed", "7", "--raw", "--max-tokens", "20"];
        byte[] first = Tool.Run(arguments).Bytes;
        Assert.Equal(first, Tool.Run([.. arguments, "--threads", "3"]).Bytes);
        Assert.NotEqual(first, Tool.Run([.. arguments[..^6], "--seed", "8", .. arguments[^3..]]).Bytes);
    }

    [Fact]
    public void An_answer_that_never_came_is_a_sentence_and_an_exit_code_of_its_own()
    {
        Tool.Run("run", Question, "--temperature", "0", "--max-tokens", "3").AssertRefused(3, "raise --max-tokens");
        ToolRun json = Tool.Run("run", Question, "--temperature", "0", "--max-tokens", "3", "--json");
        Assert.Equal(3, json.ExitCode);
        Assert.Contains("\"finish_reason\":\"length\"", json.Output);
    }

    [Fact]
    public void Json_has_letters_of_every_language_as_they_are()
    {
        string output = Tool.Run(
            "run",
            "Where does Zoë live?",
            "--temperature",
            "0",
            "--json",
            "--system",
            "Zoë lives in Zürich, <b>."
        ).Output;
        Assert.DoesNotContain("\\u00", output);
    }

    [Fact]
    public void Reasoning_is_shown_above_the_answer_where_it_is_wanted()
    {
        ToolRun run = Tool.Run("run", Question, "--temperature", "0", "--show-reasoning");
        Assert.Matches($"^[^\n]+\n\n{Regex.Escape(Answer)}$", run.Output);
    }

    [Fact]
    public void Events_are_json_lines_with_the_usage_in_the_last()
    {
        ToolRun run = Tool.Run("run", Question, "--temperature", "0", "--json");
        JsonElement[] events = [.. run.Output.TrimEnd('\n').Split('\n').Select(line => JsonElement.Parse(line))];

        Assert.Equal(["reasoning", "text", "end"], events.Select(e => e.GetProperty("type").GetString()).Distinct());
        Assert.Equal(Answer.TrimEnd(), Text(events, "text"));
        JsonElement end = events[^1],
            usage = end.GetProperty("usage");
        Assert.Equal("stop", end.GetProperty("finish_reason").GetString());
        Assert.InRange(
            usage.GetProperty("reasoning_tokens").GetInt32(),
            1,
            usage.GetProperty("output_tokens").GetInt32() - 1
        );
        Assert.InRange(usage.GetProperty("input_tokens").GetInt32(), 20, 500);
    }

    [Fact]
    public void High_effort_thinks_longer_than_low()
    {
        int[] lengths =
        [
            .. new[] { "low", "high" }.Select(effort =>
            {
                string[] lines = Tool.Run("run", Question, "--temperature", "0", "--json", "--effort", effort)
                    .Output.TrimEnd('\n')
                    .Split('\n');
                return Text(lines.Select(line => JsonElement.Parse(line)), "reasoning").Length;
            }),
        ];
        Assert.True(lengths[1] > lengths[0], string.Join(" and ", lengths));
    }

    [Fact]
    public void Instructions_reach_the_model()
    {
        ToolRun run = Tool.Run(
            "run",
            "Where does Susan live?",
            "--temperature",
            "0",
            "--system",
            "Susan lives in Madrid."
        );
        Assert.Contains("Madrid", run.Output);
    }

    [Fact]
    public void Raw_text_goes_on_as_text()
    {
        ToolRun run = Tool.Run("run", "Hello", "--raw", "--temperature", "0", "--max-tokens", "200");
        Assert.Equal(0, run.ExitCode);
        Assert.NotEmpty(run.Output.Trim());
    }

    [Theory]
    [InlineData("INT")] // Ctrl+C
    [InlineData("TERM")]
    [InlineData("HUP")] // the terminal was closed
    public async Task A_signal_ends_the_run_at_once(string signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no signals to send.");
        using var wide = new WideTinyModel();
        using Process process = StartEndlessRun(wide.Path);
        process.StandardOutput.BaseStream.ReadByte();

        long sent = Stopwatch.GetTimestamp();
        Process.Start("kill", ["-s", signal, $"{process.Id}"]).Dispose();
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken);
        Tool.WaitForEnd(process);

        // Half a second is the most the tool waits for its work to end; the rest is room for a busy machine.
        Assert.InRange(Stopwatch.GetElapsedTime(sent).TotalSeconds, 0, 5);
        Assert.Equal((1, "gptoss: Interrupted."), (process.ExitCode, (await error).TrimEnd()));
    }

    [Fact]
    public void A_closed_pipe_ends_the_run()
    {
        using var wide = new WideTinyModel();
        using Process process = StartEndlessRun(wide.Path);
        process.StandardOutput.BaseStream.ReadByte();
        process.StandardOutput.Close();
        string error = process.StandardError.ReadToEnd();
        Tool.WaitForEnd(process);

        Assert.Equal(1, process.ExitCode);
        Assert.Matches("^gptoss: Standard output takes no more[^\n]*\n$", error);
    }

    private static string Text(IEnumerable<JsonElement> events, string type) =>
        string.Concat(
            events.Where(e => e.GetProperty("type").GetString() == type).Select(e => e.GetProperty("text").GetString())
        );

    /// <summary>The answer is a string that must not end before the limit of 32,768 tokens does.</summary>
    private static Process StartEndlessRun(string model)
    {
        string schema = Path.Combine(model, "endless.schema");
        File.WriteAllText(schema, """{"type":"string","minLength":1000000}""");
        return Tool.Start(["run", "Hello", "--schema", schema, "--seed", "1", "--model", model]);
    }
}
