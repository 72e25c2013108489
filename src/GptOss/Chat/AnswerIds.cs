namespace GptOss.Chat;

/// <summary>
/// The ids of one answer, all made of the same 32 hexadecimal digits: those of its message and of its call. So an
/// answer is found by whichever of them a caller gives back.
/// </summary>
/// <param name="digits">The digits, which no other answer has.</param>
internal sealed class AnswerIds(string digits)
{
    private const string MessagePrefix = "gptoss-",
        CallPrefix = "call_";

    private const int Digits = 32;

    /// <summary>The id of the answer's message and of its response.</summary>
    public string Message { get; } = MessagePrefix + digits;

    /// <summary>The ids that a caller asked for, or new ones.</summary>
    public static AnswerIds Of(GptOssRequestOptions own) => new(own.AnswerId ?? Guid.NewGuid().ToString("N"));

    /// <summary>The id of the message whose call has this id; null for a call of other origin.</summary>
    public static string? MessageOf(string callId) =>
        callId.StartsWith(CallPrefix, StringComparison.Ordinal) && callId.Length >= CallPrefix.Length + Digits
            ? string.Concat(MessagePrefix, callId.AsSpan(CallPrefix.Length, Digits))
            : null;

    /// <summary>The id of the answer's call.</summary>
    /// <param name="repairs">How many calls of the answer before this one could not be carried out: each has an id of
    /// its own, since pieces of it may have been given.</param>
    public string Call(int repairs) => CallPrefix + digits + (repairs == 0 ? "" : $"_{repairs + 1}");
}
