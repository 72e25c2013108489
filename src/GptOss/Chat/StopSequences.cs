namespace GptOss.Chat;

/// <summary>
/// Finds the first stop sequence in the text of one answer, which comes in pieces, and holds back text that may be the
/// beginning of one.
/// </summary>
/// <remarks>
/// The sequence that is complete first counts; of several that are complete at the same letter, the longest.
/// </remarks>
/// <param name="sequences">The texts that end the answer; empty ones are ignored.</param>
internal sealed class StopSequences(IEnumerable<string> sequences)
{
    private readonly string[] _sequences = [.. sequences.Where(sequence => !string.IsNullOrEmpty(sequence))];
    private string _held = "";

    /// <summary>The stop sequence that has come; null while none has.</summary>
    public string? Reached { get; private set; }

    /// <summary>Whether a stop sequence has come, so that the answer is over.</summary>
    public bool IsReached => Reached is not null;

    /// <summary>
    /// Takes the next piece of the text and returns what is certain to belong to the answer: the text up to a stop
    /// sequence, or without its longest end that may be the beginning of one, which is held back for the next piece.
    /// With the sequence <c>STOP</c>, the piece <c>abcST</c> returns <c>abc</c>.
    /// </summary>
    public string Append(string piece)
    {
        if (IsReached)
            return "";
        if (_sequences.Length == 0)
            return piece;
        string text = _held + piece;
        (int Complete, int At) first = (int.MaxValue, -1);
        foreach (string sequence in _sequences)
        {
            int at = text.IndexOf(sequence, StringComparison.Ordinal);
            if (at >= 0 && (at + sequence.Length, at).CompareTo(first) < 0)
                (first, Reached) = ((at + sequence.Length, at), sequence);
        }
        int certain = IsReached ? first.At : text.Length - LongestBeginning(text);
        _held = IsReached ? "" : text[certain..];
        return text[..certain];
    }

    /// <summary>Returns the text that was held back, once no further piece comes.</summary>
    public string Flush()
    {
        string rest = _held;
        _held = "";
        return rest;
    }

    private int LongestBeginning(string text)
    {
        int longest = 0;
        foreach (string sequence in _sequences)
        {
            for (int length = Math.Min(sequence.Length - 1, text.Length); length > longest; length--)
            {
                if (text.AsSpan()[^length..].SequenceEqual(sequence.AsSpan(0, length)))
                    longest = length;
            }
        }
        return longest;
    }
}
