using GptOss.Chat;
using Microsoft.Extensions.AI;

namespace GptOss;

/// <summary>A token of an answer and how likely it was.</summary>
/// <param name="Token">The id of the token.</param>
/// <param name="LogProbability">The natural logarithm of its probability; the least float for a token that could not
/// come.</param>
/// <param name="Best">The most likely tokens at its place, best first.</param>
public sealed record TokenProbability(int Token, float LogProbability, IReadOnlyList<LikelyToken> Best)
{
    /// <summary>
    /// The tokens of an answer, where <see cref="GptOssRequestOptions.LogProbabilities"/> asked for them; null where
    /// nothing did.
    /// </summary>
    /// <remarks>
    /// They are in <c>message.AdditionalProperties["logprobs"]</c> as JSON, so that they survive a stored conversation:
    /// <c>[{"token":17,"logProbability":-0.25,"best":[{"token":17,"logProbability":-0.25}]}]</c>.
    /// </remarks>
    /// <param name="message">An answer, as it came or read back from JSON.</param>
    public static IReadOnlyList<TokenProbability>? Of(ChatMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        return StoredProbability.Read(message.AdditionalProperties);
    }

    /// <summary>
    /// The tokens whose text an update of a stream holds, without markers and headers; null where it has no text, where
    /// nothing asked for them, and for the last update, which holds those of the whole message.
    /// </summary>
    /// <remarks>
    /// A token comes with the first update that has text since it was chosen. Text may have to wait: half of a
    /// character for the other half, and what may become a stop sequence for what follows it. The tokens are in
    /// <c>update.AdditionalProperties["logprobs"]</c>, in the form that a message has.
    /// </remarks>
    /// <param name="update">An update as the client gave it.</param>
    public static IReadOnlyList<TokenProbability>? Of(ChatResponseUpdate update)
    {
        ArgumentNullException.ThrowIfNull(update);
        return update.FinishReason is null ? StoredProbability.Read(update.AdditionalProperties) : null;
    }

    /// <summary>
    /// Whether token, probability and the likely tokens are the same, so that what was read back from JSON is equal to
    /// what was stored.
    /// </summary>
    public bool Equals(TokenProbability? other) =>
        other is not null
        && (Token, LogProbability) == (other.Token, other.LogProbability)
        && Best.SequenceEqual(other.Best);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Token, LogProbability, Best.Count);
}

/// <summary>A token in a range of likely ones at the place of an answer's token.</summary>
/// <param name="Token">The id of the token.</param>
/// <param name="LogProbability">The natural logarithm of its probability; the least float for a token that could not
/// come.</param>
public readonly record struct LikelyToken(int Token, float LogProbability);
