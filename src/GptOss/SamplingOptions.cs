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
        init => field = value is >= 0 and <= 2 ? value
            : throw new ArgumentOutOfRangeException(nameof(Temperature), value, "Temperature must be between 0 and 2.");
    } = 1;

    /// <summary>Keeps only the k most likely tokens; null keeps all. At least 1.</summary>
    public int? TopK
    {
        get;
        init => field = value is null or >= 1 ? value
            : throw new ArgumentOutOfRangeException(nameof(TopK), value, "TopK must be at least 1.");
    }

    /// <summary>Keeps the most likely tokens until their probabilities reach this sum; 1 keeps all. Above 0, at most 1.</summary>
    public float TopP
    {
        get;
        init => field = value is > 0 and <= 1 ? value
            : throw new ArgumentOutOfRangeException(nameof(TopP), value, "TopP must be above 0 and at most 1.");
    } = 1;

    /// <summary>Same seed, prompt, model and precision: same tokens, on any machine. Null draws a fresh seed.</summary>
    public ulong? Seed { get; init; }
}
