namespace GptOss.Sampling;

/// <summary>Which tokens a sequence holds, counted as it grows.</summary>
internal sealed class TokenHistory(IEnumerable<int> prompt)
{
    private readonly HashSet<int> _seen = [.. prompt];
    private readonly Dictionary<int, int> _answer = [];

    /// <summary>Tokens of prompt and answer.</summary>
    public IEnumerable<int> Seen => _seen;

    /// <summary>How often the answer holds each of its tokens.</summary>
    public IReadOnlyDictionary<int, int> Answer => _answer;

    public void Add(int token)
    {
        _seen.Add(token);
        _answer[token] = _answer.GetValueOrDefault(token) + 1;
    }
}

/// <summary>What changes logits before anything is chosen from them.</summary>
internal static class Penalties
{
    /// <summary>Whether the options look at what a sequence holds.</summary>
    public static bool NeedHistory(SamplingOptions options) =>
        options.FrequencyPenalty != 0 || options.PresencePenalty != 0 || options.RepetitionPenalty != 1;

    public static void AddBias(Span<float> logits, IReadOnlyDictionary<int, float>? bias)
    {
        if (bias is null)
            return;
        foreach ((int token, float value) in bias)
            if (token < logits.Length)
                logits[token] += value;
    }

    /// <summary>
    /// Repetition as in CTRL (Keskar et al. 2019), over prompt and answer; frequency and presence as in OpenAI's API,
    /// over the answer.
    /// </summary>
    public static void Apply(Span<float> logits, SamplingOptions options, TokenHistory history)
    {
        if (options.RepetitionPenalty != 1)
            foreach (int token in history.Seen)
                logits[token] =
                    logits[token] > 0
                        ? logits[token] / options.RepetitionPenalty
                        : logits[token] * options.RepetitionPenalty;
        foreach ((int token, int count) in history.Answer)
            logits[token] -= options.PresencePenalty + count * options.FrequencyPenalty;
    }
}
