using System.Text.Json.Nodes;

namespace GptOss.Tests.Cli;

/// <summary>The commands around the cases; what comes of each shared case is HarmonyCasesTests' business.</summary>
[Trait("speed", "slow")] // every case is a process
public sealed class HarmonyCommandTests
{
    private const string Case =
        """{"kind":"render_tokens","input":{"messages":[{"role":"user","content":"Hi"}],"mode":"completion"}}""";

    [Fact]
    public void A_case_gives_its_result_and_an_array_an_array()
    {
        const string Ids = "[200006,1428,200008,12194,200007,200006,173781]";
        Assert.Equal((0, Ids + "\n"), Outcome("render", Case));
        Assert.Equal((0, $"[{Ids},{Ids}]\n"), Outcome("render", $"[{Case},{Case}]"));

        string message = Ids[..Ids.IndexOf(",200006,173781", StringComparison.Ordinal)] + "]";
        (int code, string output) = Outcome(
            "parse",
            """{"kind":"parse","input":{"tokens":MESSAGE,"role":null,"strict":true,"eos":true}}""".Replace(
                "MESSAGE",
                message
            )
        );
        Assert.Equal(0, code);
        Assert.True(
            JsonNode.DeepEquals(
                JsonNode.Parse("""{"messages":[{"role":"user","content":"Hi"}]}"""),
                JsonNode.Parse(output)
            ),
            output
        );
    }

    [Theory]
    [InlineData("render", "{", "is not a case")]
    [InlineData("render", "{", "it is not valid JSON at line 1, byte 2.")]
    [InlineData("render", "", "it is empty.")]
    [InlineData("render", "{}", "is not a case")]
    [InlineData("parse", "[1]", "a field is missing or of another kind")]
    [InlineData("render", """{"kind":"parse","input":{}}""", "takes the kinds render and render_tokens")]
    [InlineData("parse", Case, "takes the kinds parse and stream")]
    public void What_is_no_case_is_one_line_and_exit_code_2(string command, string input, string message) =>
        Tool.Run(["debug", command], input).AssertRefused(2, message);

    private static (int Code, string Output) Outcome(string command, string input)
    {
        ToolRun run = Tool.Run(["debug", command], input);
        return (run.ExitCode, run.Output);
    }
}
