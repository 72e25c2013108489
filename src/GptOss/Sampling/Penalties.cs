namespace GptOss.Sampling;

/// <summary>
/// Which tokens a sequence holds, and how often its answer holds each: what the penalties for repetition look at.
/// </summary>
/// <param name="prompt">The tokens before the answer.</param>
internal sealed class TokenHistory(IEnumerable<int> prompt)
{
    private readonly HashSet<int> _seen = [.. prompt];
    private readonly Dictionary<int, int> _answer = [];

    /// <summary>Every token that prompt or answer holds, once.</summary>
    public IEnumerable<int> Seen => _seen;

    /// <summary>How often the answer holds each of its tokens.</summary>
    public IReadOnlyDictionary<int, int> Answer => _answer;

    public void Add(int token)
    {
        _seen.Add(token);
        _answer[token] = _answer.GetValueOrDefault(token) + 1;
    }
}

/// <summary>
/// Changes logits before a token is chosen from them: adds the bias of the request, and makes tokens that came before
/// less likely, or more.
/// </summary>
/// <remarks>
/// Only a bias of negative infinity forbids a token. Every other logit stays finite: a bias may be as low as −3.4 ·
/// 10³⁸ and a repetition penalty of 10 would make that infinite, so a result beyond float32 is held at its largest or
/// smallest number.
/// </remarks>
internal static class Penalties
{
    /// <summary>Whether the options look at what a sequence holds.</summary>
    public static bool NeedHistory(SamplingOptions options) =>
        options.FrequencyPenalty != 0 || options.PresencePenalty != 0 || options.RepetitionPenalty != 1;

    /// <summary>Whether the bias forbids every token of a vocabulary, so that no answer could be given.</summary>
    /// <param name="bias">Values by token id, at least 0; null for none.</param>
    /// <param name="vocabulary">Number of tokens that the model knows.</param>
    public static bool ForbidsEverything(IReadOnlyDictionary<int, float>? bias, int vocabulary)
    {
        if (bias is null || bias.Count < vocabulary)
            return false;
        int forbidden = 0;
        foreach ((int token, float value) in bias)
            if (token < vocabulary && float.IsNegativeInfinity(value))
                forbidden++;
        return forbidden == vocabulary;
    }

    /// <summary>Refuses a bias that forbids every token of a vocabulary.</summary>
    /// <param name="bias">Values by token id, at least 0; null for none.</param>
    /// <param name="vocabulary">Number of tokens that the model knows.</param>
    /// <param name="argument">The argument of the caller that holds the bias.</param>
    /// <exception cref="ArgumentException">No token may be chosen.</exception>
    public static void RequireChoice(IReadOnlyDictionary<int, float>? bias, int vocabulary, string argument)
    {
        if (ForbidsEverything(bias, vocabulary))
            throw new ArgumentException(
                $"LogitBias should leave at least one token that may be chosen, but it forbids all {vocabulary} of the "
                    + "vocabulary. Give one of them a value above negative infinity.",
                argument
            );
    }

    /// <summary>Adds the bias to the logits of its tokens. Ids beyond the vocabulary are passed over.</summary>
    public static void AddBias(Span<float> logits, IReadOnlyDictionary<int, float>? bias)
    {
        if (bias is null)
            return;
        foreach ((int token, float value) in bias)
            if (token < logits.Length)
                logits[token] = float.IsNegativeInfinity(value) ? value : Held(logits[token], logits[token] + value);
    }

    /// <summary>
    /// Applies the penalties: that of repetition to the tokens of prompt and answer, as in CTRL (Keskar et al. 2019),
    /// those of frequency and presence to the tokens of the answer, as in OpenAI's API.
    /// </summary>
    /// <param name="logits">One for each token, changed in place.</param>
    /// <param name="options">The penalties of the request.</param>
    /// <param name="history">The tokens of prompt and answer.</param>
    /// <param name="spared">Tokens that stay as they are; null for none.</param>
    public static void Apply(
        Span<float> logits,
        SamplingOptions options,
        TokenHistory history,
        TokenMask? spared = null
    )
    {
        if (options.RepetitionPenalty != 1)
            foreach (int token in history.Seen)
            {
                if (spared?.Allows(token) == true)
                    continue;
                logits[token] = Held(
                    logits[token],
                    logits[token] > 0
                        ? logits[token] / options.RepetitionPenalty
                        : logits[token] * options.RepetitionPenalty
                );
            }
        foreach ((int token, int count) in history.Answer)
        {
            if (spared?.Allows(token) == true)
                continue;
            logits[token] = Held(
                logits[token],
                logits[token] - (options.PresencePenalty + count * options.FrequencyPenalty)
            );
        }
    }

    // A forbidden token stays forbidden, and no other becomes so.
    private static float Held(float logit, float changed) =>
        float.IsNegativeInfinity(logit) ? logit : Math.Clamp(changed, float.MinValue, float.MaxValue);
}
