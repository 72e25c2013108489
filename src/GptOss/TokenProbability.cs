using System.Text.Json;
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
    internal const string Key = "logprobs";

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
        if (
            message.AdditionalProperties?.TryGetValue(Key, out object? stored) != true
            || StoredJson.List(stored) is not { } json
        )
            return null;
        try
        {
            IReadOnlyList<StoredProbability?>? tokens = json.Deserialize(
                TokenProbabilityJson.Default.IReadOnlyListStoredProbability
            );
            return tokens?.Any(token => token is null || token.Best?.Contains(null!) == true) != false
                ? null
                : [.. tokens.Select(token => token!.ToPublic())];
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return null; // somebody else's property of that name
        }
    }

    internal static JsonElement ToJson(IEnumerable<TokenProbability> tokens) =>
        JsonSerializer.SerializeToElement(
            [.. tokens.Select(StoredProbability.From)],
            TokenProbabilityJson.Default.IReadOnlyListStoredProbability
        );
}

/// <summary>A token in a range of likely ones at the place of an answer's token.</summary>
/// <param name="Token">The id of the token.</param>
/// <param name="LogProbability">The natural logarithm of its probability; the least float for a token that could not
/// come.</param>
public readonly record struct LikelyToken(int Token, float LogProbability);
