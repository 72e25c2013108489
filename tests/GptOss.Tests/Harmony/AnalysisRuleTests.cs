using GptOss.Harmony;

namespace GptOss.Tests.Harmony;

public sealed class AnalysisRuleTests
{
    /// <summary>
    /// Conversations in letters: u user, a analysis, f final, p preamble, c call and r its result, C call of a function
    /// on analysis and R its result, b call of a built-in tool on analysis and s its result there, t its result on
    /// commentary.
    /// </summary>
    [Theory]
    [InlineData("uaf", "uf")]
    [InlineData("uafu", "ufu")]
    [InlineData("uafuaf", "ufuf")] // the second analysis too: its turn is finished
    [InlineData("uacr", "uacr")] // the model still needs it
    [InlineData("uacracr", "uacracr")]
    [InlineData("uafuacr", "ufuacr")] // of the finished turn it does not
    [InlineData("uacrafu", "ucrfu")]
    [InlineData("uapcr", "uapcr")]
    [InlineData("uau", "uu")] // an aborted turn
    [InlineData("uacru", "ucru")]
    [InlineData("uabsaf", "uf")]
    [InlineData("uabtafu", "ufu")] // a result is not left without its call
    [InlineData("uabs", "uabs")]
    [InlineData("uaCRafu", "ucrfu")] // a function's call is not lost
    [InlineData("", "")]
    public void Reasoning_of_finished_turns_goes(string conversation, string kept) =>
        Assert.Equal(kept, Letters(AnalysisRule.Apply(Messages(conversation), AnalysisMode.DropFinished)));

    [Theory]
    [InlineData("uafu", "ufu")]
    [InlineData("uafuaf", "ufuaf")]
    [InlineData("uafuacr", "uafuacr")]
    [InlineData("uacrafu", "ucrfu")]
    [InlineData("uabsaf", "uf")]
    [InlineData("uau", "uau")]
    [InlineData("", "")]
    public void The_exact_mode_drops_what_the_reference_drops(string conversation, string kept) =>
        Assert.Equal(kept, Letters(AnalysisRule.Apply(Messages(conversation), AnalysisMode.HarmonyExact)));

    [Fact]
    public void Keeping_all_keeps_all() =>
        Assert.Equal("uafuabsaf", Letters(AnalysisRule.Apply(Messages("uafuabsaf"), AnalysisMode.KeepAll)));

    private static readonly Dictionary<char, HarmonyMessage> Kinds = new()
    {
        ['u'] = new(HarmonyRole.User, "u"),
        ['a'] = new(HarmonyRole.Assistant, "a") { Channel = "analysis" },
        ['f'] = new(HarmonyRole.Assistant, "f") { Channel = "final" },
        ['p'] = new(HarmonyRole.Assistant, "p") { Channel = "commentary" },
        ['c'] = new(HarmonyRole.Assistant, "c") { Channel = "commentary", Recipient = "functions.f" },
        ['r'] = new(HarmonyRole.Tool, "r") { Channel = "commentary", Name = "functions.f" },
        ['C'] = new(HarmonyRole.Assistant, "c") { Channel = "analysis", Recipient = "functions.f" },
        ['R'] = new(HarmonyRole.Tool, "r") { Channel = "analysis", Name = "functions.f" },
        ['b'] = new(HarmonyRole.Assistant, "b") { Channel = "analysis", Recipient = "browser.search" },
        ['s'] = new(HarmonyRole.Tool, "s") { Channel = "analysis", Name = "browser.search" },
        ['t'] = new(HarmonyRole.Tool, "t") { Channel = "commentary", Name = "browser.search" },
    };

    private static HarmonyMessage[] Messages(string letters) => [.. letters.Select(letter => Kinds[letter])];

    private static string Letters(IEnumerable<HarmonyMessage> messages) =>
        string.Concat(
            messages.Select(message =>
                message.Text is "c" or "r" && message.Channel != "commentary" ? "?" : message.Text
            )
        );
}
