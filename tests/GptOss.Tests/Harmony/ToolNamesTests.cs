using GptOss.Harmony;

namespace GptOss.Tests.Harmony;

public sealed class ToolNamesTests
{
    [Theory]
    [InlineData("get_weather", "get_weather")]
    [InlineData("get weather", "get_weather")]
    [InlineData("web-browsing.search", "web_browsing_search")]
    [InlineData("2nd!", "_2nd")]
    [InlineData("größe", "größe")]
    [InlineData("", "_")]
    [InlineData("a b,a-b,a.b", "a_b,a_b_2,a_b_3")]
    [InlineData("a b,a_b", "a_b_2,a_b")] // a name that is fit keeps itself
    [InlineData("a b,a b,a_b_2", "a_b,a_b_3,a_b_2")]
    public void Names_become_different_identifiers(string names, string identifiers) =>
        Assert.Equal(identifiers.Split(','), ToolNames.Identifiers(names.Split(',')));

    [Fact]
    public void Many_names_that_would_be_one_are_told_apart_in_time_that_grows_with_their_number()
    {
        static TimeSpan Time(int count)
        {
            string[] names =
            [
                .. Enumerable
                    .Range(0, count)
                    .Select(i => new string('-', 3) + (i == 0 ? "a_5" : "a") + new string('!', i % 7)),
            ];
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            IReadOnlyList<string> identifiers = ToolNames.Identifiers(names);
            Assert.Equal(count, identifiers.Distinct().Count());
            return System.Diagnostics.Stopwatch.GetElapsedTime(start);
        }
        Time(2_000);
        // The least of several: neighbours only add, and where each counts anew it is a hundredfold each time.
        double ratio = double.MaxValue;
        for (int i = 0; i < 8 && ratio >= 40; i++)
            ratio = Math.Min(ratio, Time(20_000) / Time(2_000));
        Assert.True(ratio < 40, $"Ten times the names took {ratio:F0} times as long.");
    }

    [Theory]
    [InlineData("f", "functions.f")]
    [InlineData("functions.f", "functions.f")]
    [InlineData("functions.browser.search", "browser.search")]
    [InlineData("fcode", "functions.f")]
    [InlineData("gjson", "gjson")]
    [InlineData("python", "functions.python")] // offered under the name of a built-in one
    [InlineData("assistant", null)]
    public void A_recipient_is_completed_only_if_it_is_offered(string written, string? meant) =>
        Assert.Equal(meant, new ToolNames(["f", "python"]).Meant(written));
}
