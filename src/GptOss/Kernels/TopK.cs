namespace GptOss.Kernels;

/// <summary>
/// Chooses the experts of a token: the k largest of its router scores, and the softmax over those k alone as the
/// weights of the experts' results.
/// </summary>
internal static class TopK
{
    /// <summary>Chooses the k largest scores, best first; of equal scores the lower index comes first.</summary>
    /// <remarks>
    /// NaN counts as the largest score: through the weights it reaches the logits, where it is noticed.
    /// </remarks>
    /// <param name="scores">Router scores of a token, [experts].</param>
    /// <param name="chosen">Receives the indices of the chosen experts, [k]. Its length is k.</param>
    /// <param name="weights">
    /// Receives the weights, [k]: e^(score − best score), divided by the sum of the k, which is added best first.
    /// </param>
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
