namespace GptOss.Tests.Cli;

[Trait("speed", "slow")] // every case is a process
public sealed class CommandLineTests
{
    [Theory]
    [InlineData("Did you mean run?", "rnu")]
    [InlineData("A command is needed: logits, tokens, render, parse.", "debug")]
    [InlineData("The prompt is empty", "run", "")]
    [InlineData("The prompt is empty", "run")] // standard input holds nothing
    [InlineData("NAME is needed. The repository: gpt-oss-20b,", "pull")]
    [InlineData("NAME is needed. The program: ", "connect")]
    [InlineData("OUT is needed. The folder that is made", "convert", ".")]
    [InlineData("OWNER/NAME. Did you mean gpt-oss-20b?", "pull", "gpt-oss:20b")]
    [InlineData("belongs in quotation marks", "run", "two", "words")]
    [InlineData("Did you mean --temperature?", "run", "hi", "--temprature", "1")]
    [InlineData("There is no option --loud", "run", "--loud")] // not a prompt
    [InlineData("--seed should be a whole number", "run", "hi", "--seed", "abc")]
    [InlineData("--temperature should be a number from 0 to 2", "run", "hi", "--temperature", "NaN")]
    [InlineData("--threads should be a whole number from 1 to 1024", "run", "hi", "--threads", "0")]
    [InlineData("--max-tokens should be a whole number from 1", "run", "hi", "--max-tokens", "0")]
    [InlineData("--model needs a value, as in --model MODEL.", "run", "hi", "--model")]
    [InlineData("--effort needs a value: low, medium or high.", "run", "hi", "--effort")]
    [InlineData("--effort should be low, medium or high, but is 'huge'.", "run", "hi", "--effort", "huge")]
    [InlineData("MODEL and --model exclude each other", "inspect", ".", "--model", ".")]
    [InlineData("--effort belongs to the chat format", "run", "hi", "--raw", "--effort", "low")]
    [InlineData("--system belongs to the chat format", "run", "hi", "--raw", "--system", "x")]
    [InlineData("--json and --raw exclude each other", "run", "hi", "--raw", "--json")]
    [InlineData("--show-reasoning and --raw exclude each other", "run", "hi", "--raw", "--show-reasoning")]
    [InlineData("--seed should be a whole number", "chat", "--seed", "abc")]
    [InlineData("name is an empty text", "run", "hi", "--model", "")]
    [InlineData("the model's longest is 131072", "inspect", "--context", "131073")]
    [InlineData("--layers belongs to --shape", "bench", "--layers", "3")]
    [InlineData("exclude each other", "bench", "--shape", "20b", "--model", ".")]
    [InlineData("--adapter belongs to --model", "bench", "--shape", "20b", "--adapter", ".")]
    [InlineData("--adapter is an empty text", "bench", "--model", ".", "--adapter", "")]
    [InlineData("has 24", "bench", "--shape", "20b", "--layers", "30")]
    [InlineData("--model needs a value, as in --model MODEL.", "bench", "--model", "--threads", "2")]
    [InlineData("--system needs a value, as in --system TEXT.", "run", "--system", "--json", "hi")]
    [InlineData("--threads is given 2 times, but takes one value.", "bench", "--threads", "2", "--threads", "3")]
    [InlineData("--effort is given 2 times, but takes one value.", "run", "--effort", "low", "--effort", "high", "hi")]
    [InlineData("--shape should be 20b or 120b, but is '7b'.", "bench", "--shape", "7b")]
    [InlineData("--tokens is needed, as in --tokens 1,2,3.", "debug", "logits", ".")]
    [InlineData("holds no ids", "debug", "logits", ".", "--tokens", ",")]
    [InlineData("holds 'x'", "debug", "logits", ".", "--tokens", "1,x")]
    [InlineData("holds '-1'", "debug", "logits", ".", "--tokens", "1,-1")]
    [InlineData("the prompt's last position is 2", "debug", "logits", ".", "--tokens", "1,2,3", "--positions", "0,3")]
    [InlineData(
        "--kv should be float32, float16 or int8, but is 'int4'.",
        "debug",
        "logits",
        ".",
        "--tokens",
        "1",
        "--kv",
        "int4"
    )]
    [InlineData("The vocabulary ends at 959", "debug", "tokens", "--decode", "960")]
    public void Wrong_usage_is_one_line_and_exit_code_2(string message, params string[] arguments) =>
        Tool.Run(arguments).AssertRefused(2, message);

    [Theory]
    [InlineData("run", "hi", "--model")]
    [InlineData("chat", "--model")]
    [InlineData("inspect")]
    [InlineData("debug", "tokens", "hi", "--model")]
    public void A_folder_that_is_no_model_is_one_line_and_exit_code_1(params string[] command)
    {
        using var folder = new TemporaryFolder();
        Tool.Run([.. command, folder.Path]).AssertRefused(1, "config.json");
        Tool.Run([.. command, Path.Combine(folder.Path, "none")]).AssertRefused(1, "none");
    }

    [Fact]
    public void A_message_about_a_folder_with_a_line_feed_in_its_name_is_one_line() =>
        Tool.Run("inspect", "no\nsuch\u001bfolder").AssertRefused(1, "folder");

    [Theory]
    [InlineData] // alone it says what it can do
    [InlineData("--help")]
    [InlineData("run", "--help")]
    [InlineData("debug", "logits", "-h")] // its required option is missing, and help is all the same
    public void Help_is_shown_where_it_is_asked_for(params string[] arguments)
    {
        ToolRun run = Tool.Run(arguments);
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("Usage:\n  gptoss", run.Output.ReplaceLineEndings("\n"));
        Assert.Empty(run.Error);
    }

    [Fact]
    public void The_version_is_one_line()
    {
        ToolRun run = Tool.Run("--version");
        Assert.Equal(0, run.ExitCode);
        Assert.Matches(@"^\d+\.\d+\.\d+\S*\r?\n$", run.Output);
    }
}
