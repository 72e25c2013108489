namespace GptOss.Harmony;

/// <summary>The speaker of a message.</summary>
internal enum HarmonyRole
{
    User,
    Assistant,
    System,
    Developer,
    Tool,
}

/// <summary>
/// One message of a conversation in Harmony: who speaks, to whom, on which channel, and what. A property that is null
/// is not written into the header.
/// </summary>
internal sealed record HarmonyMessage(HarmonyRole Role, IReadOnlyList<HarmonyContent> Content)
{
    /// <summary>A message of one plain text.</summary>
    public HarmonyMessage(HarmonyRole role, string text)
        : this(role, [new HarmonyContent.PlainText(text)]) { }

    /// <summary>A person's name; for a tool, which has to have one, the name of the function that answers.</summary>
    public string? Name { get; init; }

    /// <summary>Whom the message is for: the function that the assistant calls, or <c>assistant</c> for a
    /// result.</summary>
    public string? Recipient { get; init; }

    /// <summary>One of <see cref="ChannelNames"/>, or another word that a caller has put there.</summary>
    public string? Channel { get; init; }

    /// <summary>The form of the text, such as <c>&lt;|constrain|&gt;json</c>, <c>json</c> or <c>code</c>.</summary>
    public string? ContentType { get; init; }

    /// <summary>
    /// The ids of the text as the model chose them; null for those of the tokenizer. Where they are set, the renderer
    /// writes them in the place of the text, so that what the model once said is not tokenised differently.
    /// </summary>
    /// <remarks>The ids must decode to the text, and none may be a marker.</remarks>
    public IReadOnlyList<int>? ContentTokens { get; init; }

    /// <summary>The plain texts of the content as one string.</summary>
    public string Text =>
        Content is [HarmonyContent.PlainText only]
            ? only.Value
            : string.Concat(Content.OfType<HarmonyContent.PlainText>().Select(part => part.Value));

    /// <summary>Whether the message is a call of a tool by the assistant.</summary>
    public bool IsCall => Role == HarmonyRole.Assistant && Recipient is not null;
}

/// <summary>The words by which headers name the roles, such as <c>user</c>.</summary>
internal static class RoleNames
{
    /// <summary>The word of a role in a header.</summary>
    public static string Word(this HarmonyRole role) =>
        role switch
        {
            HarmonyRole.User => "user",
            HarmonyRole.Assistant => "assistant",
            HarmonyRole.System => "system",
            HarmonyRole.Developer => "developer",
            _ => "tool",
        };

    /// <summary>The role that a word names; null if it names none.</summary>
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
