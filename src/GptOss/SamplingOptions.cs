namespace GptOss;

/// <summary>How the next token is chosen from the model's distribution.</summary>
public sealed record SamplingOptions
{
    /// <summary>OpenAI's recommendation for gpt-oss: temperature 1, top-p 1.</summary>
    public static SamplingOptions Default { get; } = new();

    /// <summary>Always the most likely token; the same prompt gives the same answer.</summary>
    public static SamplingOptions Greedy { get; } = new() { Temperature = 0 };

    /// <summary>0 is greedy; 1 leaves the model's distribution unchanged. Range 0 to 2.</summary>
    public float Temperature
    {
        get;
        init =>
            field = value is >= 0 and <= 2
                ? value
                : throw new ArgumentOutOfRangeException(
                    nameof(Temperature),
                    value,
                    "Temperature must be between 0 and 2."
                );
    } = 1;

    /// <summary>Keeps only the k most likely tokens; null keeps all. At least 1.</summary>
    public int? TopK
    {
        get;
        init =>
            field = value is null or >= 1
                ? value
                : throw new ArgumentOutOfRangeException(nameof(TopK), value, "TopK must be at least 1.");
    }

    /// <summary>
    /// Keeps the most likely tokens until their probabilities reach this sum; 1 keeps all. Above 0, at most 1.
    /// </summary>
    public float TopP
    {
        get;
        init =>
            field = value is > 0 and <= 1
                ? value
                : throw new ArgumentOutOfRangeException(nameof(TopP), value, "TopP must be above 0 and at most 1.");
    } = 1;

    /// <summary>
    /// Keeps only tokens at least so likely as this share of the most likely one; 0 keeps all. Range 0 to 1.
    /// </summary>
    public float MinP
    {
        get;
        init =>
            field = value is >= 0 and <= 1
                ? value
                : throw new ArgumentOutOfRangeException(nameof(MinP), value, "MinP must be between 0 and 1.");
    }

    /// <summary>Taken from a token's logit for each time the answer holds it already. Range −2 to 2.</summary>
    public float FrequencyPenalty
    {
        get;
        init =>
            field = value is >= -2 and <= 2
                ? value
                : throw new ArgumentOutOfRangeException(
                    nameof(FrequencyPenalty),
                    value,
                    "FrequencyPenalty must be between -2 and 2."
                );
    }

    /// <summary>Taken once from the logit of every token that the answer holds already. Range −2 to 2.</summary>
    public float PresencePenalty
    {
        get;
        init =>
            field = value is >= -2 and <= 2
                ? value
                : throw new ArgumentOutOfRangeException(
                    nameof(PresencePenalty),
                    value,
                    "PresencePenalty must be between -2 and 2."
                );
    }

    /// <summary>
    /// Divides positive and multiplies negative logits of tokens that prompt or answer hold; 1 changes nothing. Range
    /// 0.1 to 10.
    /// </summary>
    public float RepetitionPenalty
    {
        get;
        init =>
            field = value is >= 0.1f and <= 10
                ? value
                : throw new ArgumentOutOfRangeException(
                    nameof(RepetitionPenalty),
                    value,
                    "RepetitionPenalty must be between 0.1 and 10."
                );
    } = 1;

    /// <summary>
    /// Added to the logits of single tokens, by id; null for none. Each at most 10,000; negative infinity forbids the
    /// token. A bias that forbids every token of a model is refused with the request.
    /// </summary>
    public IReadOnlyDictionary<int, float>? LogitBias
    {
        get;
        init
        {
            foreach ((int token, float bias) in value ?? new Dictionary<int, float>())
            {
                if (token < 0 || !(bias <= 10_000))
                {
                    throw new ArgumentOutOfRangeException(
                        nameof(LogitBias),
                        bias,
                        "LogitBias must hold ids of at least 0 and values of at most 10,000; this is the value of "
                            + $"the id {token}."
                    );
                }
            }
            // The dictionary is copied, so that its owner cannot change values that were checked.
            field =
                value is null ? null : new Dictionary<int, float>(value);
        }
    }

    /// <summary>
    /// Same seed, prompt, model and options: same tokens, whatever the threads, the registers and the other requests.
    /// Null draws a fresh seed.
    /// </summary>
    /// <remarks>Between operating systems a rotary angle may differ in its last bit, as their sines do.</remarks>
    public ulong? Seed { get; init; }
}
