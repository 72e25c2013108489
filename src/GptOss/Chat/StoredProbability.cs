using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>
/// A <see cref="TokenProbability"/> as it is stored: without a list where there is none, and with a number for minus
/// infinity, which JSON has not.
/// </summary>
internal sealed record StoredProbability(int Token, float LogProbability, IReadOnlyList<StoredProbability>? Best)
{
    /// <summary>The name of the probabilities among the additional properties of a message or an update.</summary>
    public const string Key = "logprobs";

    /// <summary>The probabilities among additional properties; null where there are none that can be read.</summary>
    public static IReadOnlyList<TokenProbability>? Read(AdditionalPropertiesDictionary? properties)
    {
        if (properties?.TryGetValue(Key, out object? stored) != true || StoredJson.List(stored) is not { } json)
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
            return null; // the property of that name is another program's
        }
    }

    /// <summary>The probabilities as the JSON that a message carries.</summary>
    public static JsonElement ToJson(IEnumerable<TokenProbability> tokens) =>
        JsonSerializer.SerializeToElement(
            [.. tokens.Select(From)],
            TokenProbabilityJson.Default.IReadOnlyListStoredProbability
        );

    private static StoredProbability From(TokenProbability token) =>
        new(
            token.Token,
            Math.Max(token.LogProbability, float.MinValue),
            token.Best.Count > 0 ? [.. token.Best.Select(From)] : null
        );

    private TokenProbability ToPublic() =>
        new(Token, LogProbability, [.. (Best ?? []).Select(best => new LikelyToken(best.Token, best.LogProbability))]);

    private static StoredProbability From(LikelyToken token) =>
        new(token.Token, Math.Max(token.LogProbability, float.MinValue), Best: null);
}

/// <summary>
/// Writes and reads <see cref="StoredProbability"/>s as JSON by generated code instead of reflection, which a trimmed
/// application does not have.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(IReadOnlyList<StoredProbability>))]
internal sealed partial class TokenProbabilityJson : JsonSerializerContext;
