using System.Text.Json;
using System.Text.Json.Serialization;
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

/// <summary>
/// A <see cref="TokenProbability"/> as it is stored: without a list where there is none, and with a number for minus
/// infinity, which JSON has not.
/// </summary>
internal sealed record StoredProbability(int Token, float LogProbability, IReadOnlyList<StoredProbability>? Best)
{
    public static StoredProbability From(TokenProbability token) =>
        new(
            token.Token,
            Math.Max(token.LogProbability, float.MinValue),
            token.Best.Count > 0 ? [.. token.Best.Select(From)] : null
        );

    public TokenProbability ToPublic() =>
        new(Token, LogProbability, [.. (Best ?? []).Select(best => new LikelyToken(best.Token, best.LogProbability))]);

    private static StoredProbability From(LikelyToken token) =>
        new(token.Token, Math.Max(token.LogProbability, float.MinValue), Best: null);
}

/// <summary>How probabilities are written as JSON: by generated code, for applications that are trimmed.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(IReadOnlyList<StoredProbability>))]
internal sealed partial class TokenProbabilityJson : JsonSerializerContext;
