namespace GptOss.Kernels;

/// <summary>The k largest of a row and the softmax over those alone.</summary>
internal static class TopK
{
    /// <summary>Chooses <paramref name="chosen"/>.Length scores, best first; of equal scores the lower index.</summary>
    /// <remarks>
    /// NaN counts as the best of all: it reaches the weights and with them the logits, where it is noticed.
    /// </remarks>
    /// <param name="scores">[experts].</param>
    /// <param name="chosen">[k]: their indices.</param>
    /// <param name="weights">[k]: e^(score − best) over the sum of the k, added best first.</param>
    public static void Softmax(ReadOnlySpan<float> scores, Span<int> chosen, Span<float> weights)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(chosen.Length, scores.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(weights.Length, chosen.Length);
        for (int slot = 0; slot < chosen.Length; slot++)
        {
            int best = -1;
            for (int i = 0; i < scores.Length; i++)
                if (!chosen[..slot].Contains(i) && (best < 0 || Better(scores[i], scores[best])))
                    best = i;
            chosen[slot] = best;
        }

        float sum = 0;
        for (int slot = 0; slot < chosen.Length; slot++)
        {
            weights[slot] = Exp.Of(scores[chosen[slot]] - scores[chosen[0]]);
            sum += weights[slot];
        }
        for (int slot = 0; slot < chosen.Length; slot++)
            weights[slot] /= sum;
    }

    private static bool Better(float score, float best) => score > best || (float.IsNaN(score) && !float.IsNaN(best));
}
