using GptOss.Sampling;

namespace GptOss.Generation;

/// <summary>
/// Chooses the next token of a sequence from its logits, with its probability where the request asked for it.
/// </summary>
/// <remarks>Holds buffers, so that an instance serves one caller at a time.</remarks>
internal sealed class TokenChooser
{
    private readonly Sampler _sampler = new();
    private readonly LogProbabilities _probabilities = new();

    /// <param name="sequence">The sequence, whose pending tokens were computed by the pass that made the
    /// logits.</param>
    /// <param name="logits">The logits at the sequence's last token, [vocab], finite; changed by bias and
    /// penalties.</param>
    public GeneratedToken Choose(Sequence sequence, Span<float> logits)
    {
        if (sequence.LogProbabilities is not { } wanted)
            return new GeneratedToken(Next(sequence, logits));
        _probabilities.Take(logits);
        int id = Next(sequence, logits);
        return new GeneratedToken(id, _probabilities.Of(id), _probabilities.Best(wanted));
    }

    // The draw depends on the seed and the position alone, whatever pass computed the logits.
    private int Next(Sequence sequence, Span<float> logits)
    {
        ulong position = (ulong)sequence.Tokens.Length;
        return _sampler.Next(logits, sequence.Sampling, sequence.Seed, position, sequence.History);
    }
}
