namespace GptOss.Chat;

/// <summary>Finds stop sequences in text that comes in pieces, and holds back what could become one.</summary>
internal sealed class StopText(IReadOnlyList<string> stops)
{
    private string _held = "";

    /// <summary>Whether a stop sequence was met; nothing is let through any more.</summary>
    public bool IsHit { get; private set; }

    /// <summary>What of the text so far is certain to be before any stop sequence, and was not returned before.</summary>
    public string Accept(string delta)
    {
        if (IsHit) return "";
        if (stops.Count == 0) return delta;
        string text = _held + delta;
        int hit = stops.Select(stop => text.IndexOf(stop, StringComparison.Ordinal)).Where(at => at >= 0).DefaultIfEmpty(-1).Min();
        if (hit >= 0)
        {
            IsHit = true;
            return text[..hit];
        }
        int keep = stops.Max(stop => Overlap(text, stop));
        _held = text[^keep..];
        return text[..^keep];
    }

    /// <summary>What was held back, now that nothing follows.</summary>
    public string Flush()
    {
        (string rest, _held) = (IsHit ? "" : _held, "");
        return rest;
    }

    // The longest end of the text that is a beginning of the stop sequence.
    private static int Overlap(string text, string stop)
    {
        int length = Math.Min(text.Length, stop.Length - 1);
        while (length > 0 && !text.AsSpan(text.Length - length).SequenceEqual(stop.AsSpan(0, length))) length--;
        return length;
    }
}
