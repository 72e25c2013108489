using System.Numerics.Tensors;
using GptOss.Kernels;

namespace GptOss.Sampling;

/// <summary>A token and the natural logarithm of its probability.</summary>
internal readonly record struct TokenLogProbability(int Id, float LogProbability);

/// <summary>Probabilities of the model itself: of the logits before bias, penalties and temperature.</summary>
internal static class LogProbabilities
{
    /// <summary>
    /// The <paramref name="count"/> most likely tokens, best first, and a function from any token to its
    /// log-probability.
    /// </summary>
    /// <param name="logits">[vocab], finite.</param>
    /// <param name="count">How many of the best.</param>
    /// <param name="logSum">ln Σ e^logit: a token's log-probability is its logit less this.</param>
    public static TokenLogProbability[] Best(ReadOnlySpan<float> logits, int count, out float logSum)
    {
        float maximum = TensorPrimitives.Max(logits);
        var weights = new float[logits.Length];
        Softmax.Weights(logits, maximum, 1, weights);
        double sum = 0;
        foreach (float weight in weights)
            sum += weight;
        logSum = maximum + (float)Math.Log(sum);

        var best = new TokenLogProbability[Math.Min(count, logits.Length)];
        int filled = 0;
        for (int token = 0; token < logits.Length; token++)
        {
            float value = logits[token] - logSum;
            if (filled == best.Length && (filled == 0 || value <= best[^1].LogProbability))
                continue;
            int at = filled < best.Length ? filled++ : best.Length - 1;
            for (; at > 0 && best[at - 1].LogProbability < value; at--)
                best[at] = best[at - 1];
            best[at] = new TokenLogProbability(token, value);
        }
        return best;
    }
}
