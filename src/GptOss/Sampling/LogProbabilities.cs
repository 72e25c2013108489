using System.Numerics.Tensors;
using GptOss.Kernels;

namespace GptOss.Sampling;

/// <summary>
/// The probabilities that the model itself gives to the tokens at one place of an answer: those of the logits before
/// bias, penalties and temperature.
/// </summary>
/// <remarks>
/// Holds one buffer of the vocabulary's size, so that nothing of that size is allocated per token. An instance serves
/// one caller at a time.
/// </remarks>
internal sealed class LogProbabilities
{
    private float[] _buffer = [];
    private int _vocabulary;
    private float _logSum;

    /// <summary>Copies the logits of one place, which the caller may change afterwards.</summary>
    /// <param name="logits">One for each token, finite.</param>
    public void Take(ReadOnlySpan<float> logits)
    {
        _vocabulary = logits.Length;
        if (_buffer.Length < _vocabulary)
            _buffer = new float[_vocabulary];
        Span<float> buffer = _buffer.AsSpan(0, _vocabulary);

        // A token's log-probability is its logit less ln Σ e^logit. The buffer first holds the e^(logit − maximum).
        float maximum = TensorPrimitives.Max(logits);
        Softmax.Weights(logits, maximum, 1, buffer);
        double sum = 0;
        foreach (float weight in buffer)
            sum += weight;
        _logSum = maximum + (float)Math.Log(sum);
        logits.CopyTo(buffer);
    }

    /// <summary>The log-probability of a token at the place taken last.</summary>
    public float Of(int token) => _buffer[token] - _logSum;

    /// <summary>
    /// The <paramref name="count"/> most likely tokens at the place taken last, best first, and of equals the lower id
    /// first.
    /// </summary>
    public LikelyToken[] Best(int count)
    {
        var best = new LikelyToken[Math.Min(count, _vocabulary)];
        int filled = 0;
        for (int token = 0; token < _vocabulary; token++)
        {
            float value = Of(token);
            if (filled == best.Length && (filled == 0 || value <= best[^1].LogProbability))
                continue;
            int at = filled < best.Length ? filled++ : best.Length - 1;
            for (; at > 0 && best[at - 1].LogProbability < value; at--)
                best[at] = best[at - 1];
            best[at] = new LikelyToken(token, value);
        }
        return best;
    }
}
