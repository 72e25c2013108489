namespace GptOss.Harmony;

/// <summary>What the assistant's text is for.</summary>
internal enum Channel
{
    /// <summary>Reasoning.</summary>
    Analysis,

    /// <summary>Said to the user before a call.</summary>
    Commentary,

    /// <summary>The answer.</summary>
    Final,
}

/// <summary>Why the tokens ended.</summary>
internal enum AnswerEnd
{
    /// <summary><c>&lt;|return|&gt;</c>.</summary>
    Return,

    /// <summary><c>&lt;|call|&gt;</c>.</summary>
    Call,

    /// <summary><c>&lt;|endoftext|&gt;</c>.</summary>
    EndOfText,

    /// <summary>No ending token came: a limit, or a cancellation.</summary>
    Cut,
}

/// <summary>What the tokens of an answer say; the set is closed.</summary>
internal abstract record HarmonyEvent
{
    private HarmonyEvent() { }

    /// <summary>
    /// Text of the assistant that is no call. A message's deltas together are its text; none is empty.
    /// </summary>
    internal sealed record Text(Channel Channel, string Delta) : HarmonyEvent;

    /// <summary>A call's header is complete.</summary>
    /// <param name="Recipient">
    /// Such as <c>functions.get_weather</c>, <c>browser.search</c> or <c>python</c>; maybe one that was not offered.
    /// </param>
    /// <param name="ContentType">As in <see cref="HarmonyMessage.ContentType"/>.</param>
    internal sealed record CallBegun(string Recipient, string? ContentType) : HarmonyEvent;

    /// <summary>A piece of the arguments of the call that was begun last; not empty.</summary>
    internal sealed record CallDelta(string Delta) : HarmonyEvent;

    /// <summary>A call is complete, whatever token ended it.</summary>
    /// <param name="Recipient">As in <see cref="CallBegun"/>.</param>
    /// <param name="Arguments">The raw text: JSON as a rule, source code for <c>python</c>, anything at worst.</param>
    /// <param name="ContentType">As in <see cref="CallBegun"/>.</param>
    /// <param name="IsEnded">False if the tokens broke off within it, so that the arguments may be incomplete.</param>
    internal sealed record CallFinished(string Recipient, string Arguments, string? ContentType, bool IsEnded)
        : HarmonyEvent;

    /// <summary>A message is complete, a call or a tool's result too; it comes after all events of its text.</summary>
    internal sealed record MessageFinished(HarmonyMessage Message) : HarmonyEvent;

    /// <summary>
    /// The answer is over: at the first token that ends generation, at the latest at the stream's end.
    /// </summary>
    internal sealed record End(AnswerEnd Reason) : HarmonyEvent;
}
