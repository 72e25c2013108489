namespace GptOss.Chat;

/// <summary>Finds the end of an answer in its text, wherever the borders of its pieces lie. For one answer.</summary>
/// <remarks>The sequence that is complete first counts; of several that are so at once, the longest.</remarks>
/// <param name="sequences">The texts that end it; empty ones are ignored.</param>
internal sealed class StopSequences(IEnumerable<string> sequences)
{
    private readonly string[] _sequences = [.. sequences.Where(sequence => !string.IsNullOrEmpty(sequence))];
    private string _held = "";

    /// <summary>Set once a sequence has come.</summary>
    public bool IsReached { get; private set; }

    /// <summary>
    /// Takes a piece and returns what is certain to belong to the answer: up to a sequence that ends it, else without
    /// the longest end that may be the beginning of one. That is held back for the next piece.
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
                first = (at + sequence.Length, at);
        }
        IsReached = first.At >= 0;
        int certain = IsReached ? first.At : text.Length - LongestBeginning(text);
        _held = IsReached ? "" : text[certain..];
        return text[..certain];
    }

    /// <summary>What was held back, now that nothing follows.</summary>
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
