using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Answers;

/// <summary>What happens in an answer, in its order; every dialect writes the same events.</summary>
internal abstract record ReplyEvent
{
    private ReplyEvent() { }

    /// <summary>A piece of the model's reasoning.</summary>
    public sealed record Reasoning(string Delta) : ReplyEvent;

    /// <summary>A piece of what the model says to the user.</summary>
    /// <param name="Delta">The piece, never empty unless it brings tokens.</param>
    /// <param name="IsPreamble">Whether it announces a call, on the model's commentary channel.</param>
    /// <param name="Tokens">The tokens of the piece, where their probabilities were asked for; else empty.</param>
    public sealed record Text(string Delta, bool IsPreamble, IReadOnlyList<TokenProbability> Tokens) : ReplyEvent;

    /// <summary>A call begins; its arguments come as <see cref="CallInput"/>.</summary>
    /// <param name="Id">Names the call for its result.</param>
    /// <param name="Name">The function, as the request named it, or as the model made it up.</param>
    /// <param name="IsFreeform">Whether the input is plain text and no JSON.</param>
    public sealed record CallStarted(string Id, string Name, bool IsFreeform) : ReplyEvent;

    /// <summary>A piece of the arguments, or of the text, of the call that began last.</summary>
    public sealed record CallInput(string Delta) : ReplyEvent;

    /// <summary>The call that began last is complete, or was cut by a limit.</summary>
    /// <param name="Input">All pieces of its input together.</param>
    /// <param name="IsWhole">False where a limit cut the call.</param>
    public sealed record CallEnded(string Input, bool IsWhole) : ReplyEvent;

    /// <summary>The answer is over.</summary>
    /// <param name="Reason">Why it ended: at its end, at a limit or with a call.</param>
    /// <param name="StopSequence">The text that ended it; null where none did.</param>
    /// <param name="Usage">The tokens that the request took.</param>
    /// <param name="Pace">How long reading and writing took.</param>
    public sealed record Finished(ReplyEnd Reason, string? StopSequence, UsageDetails Usage, ReplyPace Pace)
        : ReplyEvent;
}

/// <summary>Why an answer ended; each dialect has words of its own.</summary>
internal enum ReplyEnd
{
    /// <summary>The model said all that it wanted to say, or a stop sequence came.</summary>
    Stop,

    /// <summary>The limit of the answer's length was met.</summary>
    Length,

    /// <summary>The model called, and waits for a result.</summary>
    Calls,
}

/// <summary>How long the two halves of an answer took.</summary>
/// <param name="Reading">From the first token of the prompt to its last.</param>
/// <param name="Writing">From there to the end of the answer.</param>
internal readonly record struct ReplyPace(TimeSpan Reading, TimeSpan Writing);
