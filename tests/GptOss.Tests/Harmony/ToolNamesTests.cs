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
    [InlineData("a b,a_b", "a_b_2,a_b")]                // a name that is fit keeps itself
    [InlineData("a b,a b,a_b_2", "a_b,a_b_3,a_b_2")]
    public void Names_become_different_identifiers(string names, string identifiers) =>
        Assert.Equal(identifiers.Split(','), ToolNames.Identifiers(names.Split(',')));

    [Theory]
    [InlineData("f", "functions.f")]
    [InlineData("functions.f", "functions.f")]
    [InlineData("functions.browser.search", "browser.search")]
    [InlineData("fcode", "functions.f")]
    [InlineData("gjson", "gjson")]
    [InlineData("python", "functions.python")]          // offered under the name of a built-in one
    [InlineData("assistant", null)]
    public void A_recipient_is_completed_only_if_it_is_offered(string written, string? meant) =>
        Assert.Equal(meant, new ToolNames(["f", "python"]).Meant(written));
}
