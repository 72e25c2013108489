using System.Text.Json.Serialization.Metadata;
using GptOss.AspNetCore.Faults;

namespace GptOss.AspNetCore.Answers;

/// <summary>Takes the frames that a dialect makes of an answer: onto the wire, or folded into one object.</summary>
internal interface IFrames
{
    /// <summary>Takes an event of the stream.</summary>
    /// <param name="name">The name of the event; null where the dialect names none.</param>
    /// <param name="data">The object of the event.</param>
    /// <param name="type">How the object is written.</param>
    void Send<T>(string? name, T data, JsonTypeInfo<T> type);

    /// <summary>Takes a line of text that is no JSON, such as <c>[DONE]</c>.</summary>
    void SendText(string data);

    /// <summary>Takes a comment, which only keeps the connection alive.</summary>
    void Comment(string text);
}

/// <summary>What every answer says of itself.</summary>
/// <param name="Number">32 hexadecimal digits; all ids of the answer are made of them.</param>
/// <param name="Created">Seconds since 1970 when the request came.</param>
/// <param name="Fingerprint">Names the weights and how they are computed.</param>
/// <param name="Tokenizer">Spells the tokens whose probabilities are told; null where nobody knows them.</param>
internal sealed record ReplyHead(string Number, long Created, string Fingerprint, GptOssTokenizer? Tokenizer);

/// <summary>A moment in which nothing happened, in which the client must hear that the server still works.</summary>
/// <param name="Progress">How far the prompt is read; null where nobody said.</param>
/// <param name="Elapsed">The time since the request came.</param>
internal sealed record Beat(PromptProgress? Progress, TimeSpan Elapsed);

/// <summary>
/// Turns the events of one answer into the frames of a dialect: a state machine that is made anew for each answer, and
/// that knows nothing of HTTP.
/// </summary>
/// <remarks>
/// Use: <see cref="Begin"/>, then <see cref="Add"/> for every event, the last of which is
/// <see cref="ReplyEvent.Finished"/>; or <see cref="Fail"/> in the place of what would have come.
/// </remarks>
internal abstract class ReplyWriter
{
    /// <summary>Writes what comes before the first event.</summary>
    public abstract void Begin();

    /// <summary>Writes the next event of the answer.</summary>
    public abstract void Add(ReplyEvent happened);

    /// <summary>Writes how far the prompt is read, where the client wants to know.</summary>
    public virtual void Progress(Beat beat) { }

    /// <summary>Writes what this dialect's clients count as a sign of life.</summary>
    public abstract void Beat(Beat beat);

    /// <summary>Writes a fault in the middle of the stream, which ends without its usual end.</summary>
    public abstract void Fail(Fault fault);
}

/// <summary>The frames of one answer as a single object: a whole answer is the fold of its stream.</summary>
internal abstract class ReplyFold : IFrames
{
    /// <inheritdoc/>
    public abstract void Send<T>(string? name, T data, JsonTypeInfo<T> type);

    /// <summary>Writes the whole answer, once the writer has ended.</summary>
    public abstract byte[] ToJson();

    void IFrames.SendText(string data) { }

    void IFrames.Comment(string text) { }
}
