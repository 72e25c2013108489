namespace GptOss.Harmony;

/// <summary>Who speaks.</summary>
internal enum HarmonyRole
{
    User,
    Assistant,
    System,
    Developer,
    Tool,
}

/// <summary>One message of a conversation. What is null is not written.</summary>
internal sealed record HarmonyMessage(HarmonyRole Role, IReadOnlyList<HarmonyContent> Content)
{
    public HarmonyMessage(HarmonyRole role, string text)
        : this(role, [new HarmonyContent.Text(text)]) { }

    /// <summary>A person's name; for a tool, which has to have one, the name of the function that answers.</summary>
    public string? Name { get; init; }

    /// <summary>Whom it is for: the function that the assistant calls, or <c>assistant</c> for a result.</summary>
    public string? Recipient { get; init; }

    /// <summary>One of <see cref="ChannelNames"/>, or whatever was said.</summary>
    public string? Channel { get; init; }

    /// <summary>Such as <c>&lt;|constrain|&gt;json</c>, <c>json</c> or <c>code</c>.</summary>
    public string? ContentType { get; init; }

    /// <summary>
    /// The ids of the text as the model chose them; null for those of the tokenizer. Where they are set, the renderer
    /// writes them in the place of the text, so that what the model once said is not tokenised differently.
    /// </summary>
    /// <remarks>They must say the text and hold no marker.</remarks>
    public IReadOnlyList<int>? ContentTokens { get; init; }

    /// <summary>The text parts as one.</summary>
    public string Text =>
        Content is [HarmonyContent.Text only]
            ? only.Value
            : string.Concat(Content.OfType<HarmonyContent.Text>().Select(part => part.Value));

    /// <summary>Whether the assistant calls a tool with it.</summary>
    public bool IsCall => Role == HarmonyRole.Assistant && Recipient is not null;
}

/// <summary>The channels that the model knows.</summary>
internal static class ChannelNames
{
    /// <summary>Reasoning, and calls of built-in tools.</summary>
    public const string Analysis = "analysis";

    /// <summary>Calls of functions, and what is said to the user before them.</summary>
    public const string Commentary = "commentary";

    /// <summary>The answer.</summary>
    public const string Final = "final";

    public static IReadOnlyList<string> All { get; } = [Analysis, Commentary, Final];
}

/// <summary>The words for the roles.</summary>
internal static class RoleNames
{
    public static string Word(this HarmonyRole role) =>
        role switch
        {
            HarmonyRole.User => "user",
            HarmonyRole.Assistant => "assistant",
            HarmonyRole.System => "system",
            HarmonyRole.Developer => "developer",
            _ => "tool",
        };

    /// <summary>The role of a word; null if it is none.</summary>
    public static HarmonyRole? Parse(ReadOnlySpan<char> word) =>
        word switch
        {
            "user" => HarmonyRole.User,
            "assistant" => HarmonyRole.Assistant,
            "system" => HarmonyRole.System,
            "developer" => HarmonyRole.Developer,
            "tool" => HarmonyRole.Tool,
            _ => null,
        };
}
