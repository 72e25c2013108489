namespace GptOss.Harmony;

/// <summary>The purpose of a text that the assistant writes: a channel that is known.</summary>
internal enum Channel
{
    /// <summary>Reasoning, which the user does not see as a rule.</summary>
    Analysis,

    /// <summary>Words to the user before a call.</summary>
    Commentary,

    /// <summary>The answer to the user.</summary>
    Final,
}

/// <summary>The token that ended an answer, if one did.</summary>
internal enum AnswerEnd
{
    /// <summary>The answer ended with <c>&lt;|return|&gt;</c>.</summary>
    Return,

    /// <summary>The answer ended with <c>&lt;|call|&gt;</c>.</summary>
    Call,

    /// <summary>The answer ended with <c>&lt;|endoftext|&gt;</c>.</summary>
    EndOfText,

    /// <summary>No token that ends an answer came, because of a limit or a cancellation.</summary>
    Cut,
}

/// <summary>
/// Something that the parser has recognised in the tokens of an answer: a piece of text, a call begun or finished, a
/// message finished, the end. There are no other kinds than those within this type.
/// </summary>
internal abstract record HarmonyEvent
{
    private HarmonyEvent() { }

    /// <summary>
    /// A piece of the assistant's text, not empty, in a message that is not a call. The pieces of a message together
    /// are its text.
    /// </summary>
    internal sealed record TextDelta(Channel Channel, string Delta) : HarmonyEvent;

    /// <summary>The header of a call is complete, and its arguments follow.</summary>
    /// <param name="Recipient">
    /// The tool that is called, such as <c>functions.get_weather</c>, <c>browser.search</c> or <c>python</c>; perhaps
    /// one that was not offered.
    /// </param>
    /// <param name="ContentType">The form of the arguments, such as <c>json</c>; null for none.</param>
    internal sealed record CallBegun(string Recipient, string? ContentType) : HarmonyEvent;

    /// <summary>A piece of the arguments of the call that was begun last; not empty.</summary>
    internal sealed record ArgumentsDelta(string Delta) : HarmonyEvent;

    /// <summary>A call is complete, whatever token ended it.</summary>
    /// <param name="Recipient">The tool that is called, as when the call was begun.</param>
    /// <param name="Arguments">The text as the model wrote it: JSON as a rule, source code for <c>python</c>.</param>
    /// <param name="ContentType">The form of the arguments, such as <c>json</c>; null for none.</param>
    /// <param name="IsEnded">False if the tokens broke off within the call, so that the arguments may be
    /// incomplete.</param>
    internal sealed record CallFinished(string Recipient, string Arguments, string? ContentType, bool IsEnded)
        : HarmonyEvent;

    /// <summary>
    /// A message is complete: text, a call, or a tool's result that the model has invented. Comes after all events of
    /// the message's text.
    /// </summary>
    internal sealed record MessageFinished(HarmonyMessage Message) : HarmonyEvent;

    /// <summary>
    /// The answer is over. Comes once: at the first token that ends an answer, or at the end of the tokens.
    /// </summary>
    internal sealed record End(AnswerEnd Reason) : HarmonyEvent;
}
