using System.Text.Json.Serialization;

namespace GptOss.Chat;

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
