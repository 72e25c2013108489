using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>
/// Rotary position embedding with YaRN scaling: computes the cosines and sines by which queries and keys are rotated at
/// each position.
/// </summary>
/// <remarks>
/// Pair i of a head turns by fᵢ = θ^(−2i/headDim) per position if it is fast, by fᵢ / factor if it is slow, and by a
/// blend of the two between. Cosine and sine are multiplied by the concentration 0.1 ln(factor) + 1, and since queries
/// and keys are both rotated, their scores carry its square. Everything is computed in float64 and rounded once.
/// Source: RotaryEmbedding in openai/gpt-oss, gpt_oss/torch/model.py.
/// </remarks>
internal sealed class Rope
{
    private readonly double[] _frequencies;
    private readonly double _concentration;

    public Rope(RopeConfig rope, int headDim)
    {
        int half = headDim / 2;
        _frequencies = new double[half];
        bool scaled = rope.Factor > 1;
        _concentration = scaled ? rope.AttentionFactor ?? 0.1 * Math.Log(rope.Factor) + 1 : 1;

        double low = PairTurning(rope.BetaFast),
            high = PairTurning(rope.BetaSlow);
        if (rope.Truncate)
            (low, high) = (Math.Floor(low), Math.Ceiling(high));
        low = Math.Max(low, 0);
        high = Math.Min(high, headDim - 1);
        for (int i = 0; i < half; i++)
        {
            double keep = Math.Pow(rope.Theta, -(double)i / half);
            double ramp = scaled ? Math.Clamp((i - low) / Math.Max(high - low, 1e-3), 0, 1) : 0;
            _frequencies[i] = keep * (1 - ramp) + keep / rope.Factor * ramp;
        }

        // The pair, as a fraction, that makes the given number of turns within the original context.
        double PairTurning(double turns) =>
            half * Math.Log(rope.OriginalContext / (turns * 2 * Math.PI)) / Math.Log(rope.Theta);
    }

    /// <summary>Cosines and sines for each position: [rows, headDim], the cosines first.</summary>
    public Rows Angles(ReadOnlySpan<int> positions, Rows angles)
    {
        int half = _frequencies.Length;
        for (int row = 0; row < positions.Length; row++)
        {
            Span<float> cosSin = angles[row];
            for (int i = 0; i < half; i++)
            {
                (double sin, double cos) = Math.SinCos(positions[row] * _frequencies[i]);
                cosSin[i] = (float)(_concentration * cos);
                cosSin[half + i] = (float)(_concentration * sin);
            }
        }
        return angles;
    }
}
