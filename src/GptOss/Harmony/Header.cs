namespace GptOss.Harmony;

/// <summary>The token that ended a header or a message.</summary>
internal enum Ending
{
    /// <summary><c>&lt;|message|&gt;</c>, as a header should end.</summary>
    Message,

    /// <summary><c>&lt;|end|&gt;</c>, as a message should end.</summary>
    End,

    /// <summary><c>&lt;|call|&gt;</c>, as a call should end.</summary>
    Call,

    /// <summary><c>&lt;|return|&gt;</c> or <c>&lt;|endoftext|&gt;</c>, which end the answer.</summary>
    Turn,

    /// <summary><c>&lt;|start|&gt;</c>, with which the next message begins.</summary>
    Start,

    /// <summary>No token came, since the stream is over.</summary>
    Stream,
}

/// <summary>
/// The header of a message as the model meant it: what <see cref="HeaderReader"/> makes of the tokens between
/// <c>&lt;|start|&gt;</c> and <c>&lt;|message|&gt;</c>.
/// </summary>
/// <param name="Role">The speaker of the message.</param>
/// <param name="Name">The name of the tool that speaks; null for other speakers.</param>
/// <param name="Recipient">The tool that is called; null for no tool, whatever was written.</param>
/// <param name="Channel">One of <see cref="ChannelNames"/>, or null for none that is known.</param>
/// <param name="ContentType">The content type, with its marker if it had one; null for none.</param>
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
    /// <summary>Whether the message is a call of a tool by the assistant.</summary>
    public bool IsCall => Role == HarmonyRole.Assistant && Recipient is not null;

    /// <summary>
    /// The channel of the assistant's text; null for a call, for another role, and where no channel is known.
    /// </summary>
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

    /// <summary>
    /// Whether the channel of the text becomes certain only later: it is <c>final</c> if no other message follows, else
    /// <c>analysis</c>.
    /// </summary>
    public bool IsUndecided => Role == HarmonyRole.Assistant && !IsCall && TextChannel is null;
}
