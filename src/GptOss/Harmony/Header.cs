namespace GptOss.Harmony;

/// <summary>What ended a header or a message.</summary>
internal enum Ending
{
    /// <summary><c>&lt;|message|&gt;</c>: a header as it should end.</summary>
    Message,

    /// <summary><c>&lt;|end|&gt;</c>.</summary>
    End,

    /// <summary><c>&lt;|call|&gt;</c>.</summary>
    Call,

    /// <summary><c>&lt;|return|&gt;</c> or <c>&lt;|endoftext|&gt;</c>.</summary>
    Turn,

    /// <summary>The next message's <c>&lt;|start|&gt;</c>.</summary>
    Start,

    /// <summary>No token: the stream is over.</summary>
    Stream,
}

/// <summary>A header as it was meant.</summary>
/// <param name="Role">Who speaks.</param>
/// <param name="Name">As in <see cref="HarmonyMessage.Name"/>; likewise the next four.</param>
/// <param name="Recipient">Null for no tool, whatever was written.</param>
/// <param name="Channel">One of <see cref="ChannelNames"/>, or null for none that is known.</param>
/// <param name="ContentType">With its marker if it had one.</param>
/// <param name="Body">Text that stands in the header but belongs to the content; "" as a rule.</param>
internal readonly record struct Header(
    HarmonyRole Role,
    string? Name,
    string? Recipient,
    string? Channel,
    string? ContentType,
    string Body
)
{
    public bool IsCall => Role == HarmonyRole.Assistant && Recipient is not null;

    /// <summary>What its text is for; null for a call, for another role, and where that is not certain.</summary>
    public Channel? TextChannel =>
        Role != HarmonyRole.Assistant || IsCall
            ? null
            : Channel switch
            {
                ChannelNames.Analysis => Harmony.Channel.Analysis,
                ChannelNames.Commentary => Harmony.Channel.Commentary,
                ChannelNames.Final => Harmony.Channel.Final,
                _ => null,
            };

    /// <summary>Whether what its text is for shows only when it is known whether another message follows.</summary>
    public bool IsUndecided => Role == HarmonyRole.Assistant && !IsCall && TextChannel is null;
}
