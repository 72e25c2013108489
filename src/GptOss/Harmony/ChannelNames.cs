namespace GptOss.Harmony;

/// <summary>The names of the three channels that the model was trained to write on.</summary>
internal static class ChannelNames
{
    /// <summary>Reasoning, and calls of built-in tools.</summary>
    public const string Analysis = "analysis";

    /// <summary>Calls of functions, and what is said to the user before them.</summary>
    public const string Commentary = "commentary";

    /// <summary>The answer to the user.</summary>
    public const string Final = "final";

    /// <summary>The three names, in the order in which a system message lists them.</summary>
    public static IReadOnlyList<string> All { get; } = [Analysis, Commentary, Final];
}
