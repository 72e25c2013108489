using System.Text.Json;
using GptOss.Tests.Model;

namespace GptOss.Tests.Cli;

[Trait("speed", "slow")] // every case is a process
public sealed class LogitsCommandTests
{
    [Theory]
    [InlineData("A")]
    [InlineData("B", "--chunk", "5")]
    [InlineData("A", "--interleave", "3", "--chunk", "7", "--threads", "2")]
    public void The_logits_and_the_greedy_answer_are_those_of_the_reference(string fixture, params string[] way)
    {
        using JsonDocument expected = FixtureTests.Expected(fixture);
        int[] positions = FixtureTests.Ints(expected, "positions"),
            greedy = FixtureTests.Ints(expected, "greedy");

        ToolRun run = Tool.Run([
            "debug",
            "logits",
            Repository.Vector("oracle", fixture),
            "--tokens",
            string.Join(',', FixtureTests.Ints(expected, "prompt")),
            "--positions",
            string.Join(',', positions),
            "--greedy",
            $"{greedy.Length}",
            .. way,
        ]);

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        using JsonDocument actual = JsonDocument.Parse(run.Output);
        Assert.Equal(positions.Length, actual.RootElement.GetProperty("logits").EnumerateObject().Count());
        foreach (int position in positions)
        {
            double[] stored = Logits(expected, position),
                given = Logits(actual, position);
            Assert.Equal(stored.Length, given.Length);
            Assert.All(stored.Zip(given), pair => Assert.Equal(pair.First, pair.Second, FixtureTests.Tolerance));
        }
        Assert.Equal(greedy, FixtureTests.Ints(actual, "greedy"));
    }

    [Fact]
    public void The_default_is_the_last_position_and_no_answer()
    {
        using JsonDocument expected = FixtureTests.Expected("A");
        string prompt = string.Join(' ', FixtureTests.Ints(expected, "prompt"));
        using JsonDocument actual = JsonDocument.Parse(
            Tool.Run(["debug", "logits", Repository.Vector("oracle", "A"), "--tokens", "-"], input: prompt).Output
        );

        Assert.Equal("23", Assert.Single(actual.RootElement.GetProperty("logits").EnumerateObject()).Name);
        Assert.False(actual.RootElement.TryGetProperty("greedy", out _));
    }

    private static double[] Logits(JsonDocument json, int position) =>
        [
            .. json
                .RootElement.GetProperty("logits")
                .GetProperty($"{position}")
                .EnumerateArray()
                .Select(value => value.GetDouble()),
        ];
}
