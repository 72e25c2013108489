using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Walkers;

/// <summary>The language of texts that have to differ from each other, and how many of them there are.</summary>
internal sealed class RecordedText
{
    private readonly Dictionary<ulong, long> _counts = [];
    private readonly CodePointDfa _language;

    /// <exception cref="LimitException">The texts are few, but too long to be counted.</exception>
    public RecordedText(SpelledText spelled, CodePointDfa language)
    {
        (Spelled, _language) = (spelled, language);
        IsEndless = language.IsEmpty || IsEndlessIn(CodePointDfa.Start);
        IsEndlessEverywhere = true;
        for (int state = 0; state < language.Count; state++)
        {
            if (IsEndlessIn(state))
                continue;
            IsEndlessEverywhere = false;
            if (language.Measures.Longest(state) is > MostLength and int longest)
                throw new LimitException(
                    $"has texts of {longest:N0} characters that must not come twice, and the limit is {MostLength:N0}"
                );
        }
        Count = IsEndless ? long.MaxValue : CountFrom(spelled.Start);
    }

    /// <summary>The most texts that are counted: more than a context holds are as good as endlessly many.</summary>
    public const long MostCounted = 100_000;

    private const int MostLength = 2_000;

    /// <summary>The language in bytes.</summary>
    public SpelledText Spelled { get; }

    /// <summary>Whether there are more texts than an answer could ever use.</summary>
    public bool IsEndless { get; }

    /// <summary>Whether that holds behind every beginning of a text too.</summary>
    public bool IsEndlessEverywhere { get; }

    /// <summary>How many texts there are; <see cref="long.MaxValue"/> for endlessly many.</summary>
    public long Count { get; }

    /// <summary>
    /// Whether more texts go on from here than an answer could ever use. They may run out at the end of a long text
    /// though there are endlessly many from its beginning, as where the length has a bound.
    /// </summary>
    public bool IsEndlessAt(ulong register) =>
        IsEndlessEverywhere || (Spelled.StateAt(register) is { } state && IsEndlessIn(state));

    /// <summary>Whether some text goes on from here that is not among the used ones.</summary>
    public bool IsAlive(ulong register, UsedTexts used) =>
        ReferenceEquals(used, UsedTexts.Off)
        || IsEndlessAt(register)
        || CountFrom(register) > CountUsed(register, used);

    /// <summary>
    /// How many plain characters, whichever they are, surely go on from here to where some text is not used.
    /// </summary>
    public int Survives(ulong register, UsedTexts used)
    {
        int count = Spelled.Survives(register);
        // Behind all but the last of them every plain character goes on, and these are more than could be used.
        return count is 0 or DfaMeasures.Endless || ReferenceEquals(used, UsedTexts.Off) ? count : count - 1;
    }

    /// <summary>Whether some bytes are a text of the language.</summary>
    public bool Holds(byte[] text)
    {
        ulong register = Spelled.Start;
        foreach (byte label in text)
            if ((register = Spelled.Step(register, label)) == SpelledText.Dead)
                return false;
        return Spelled.Accepts(register);
    }

    /// <summary>All texts of a language that is not endless.</summary>
    public IEnumerable<byte[]> Texts()
    {
        var open = new Stack<(ulong Register, byte[] Text)>();
        open.Push((Spelled.Start, []));
        while (open.TryPop(out (ulong Register, byte[] Text) next))
        {
            if (Spelled.Accepts(next.Register))
                yield return next.Text;
            for (int symbol = 0; symbol < 256; symbol++)
                if (Spelled.Step(next.Register, symbol) is var register && register != SpelledText.Dead)
                    open.Push((register, [.. next.Text, (byte)symbol]));
        }
    }

    private long CountUsed(ulong register, UsedTexts used)
    {
        long count = used.IsText && Spelled.Accepts(register) ? 1 : 0;
        foreach (byte label in used.Labels)
            if (Spelled.Step(register, label) is var next && next != SpelledText.Dead)
                count += CountUsed(next, used.Next(label));
        return count;
    }

    private bool IsEndlessIn(int state) => _language.Measures.Texts(state) > MostCounted;

    private long CountFrom(ulong register)
    {
        if (IsEndlessAt(register))
            return long.MaxValue;
        if (_counts.TryGetValue(register, out long count))
            return count;
        count = Spelled.Accepts(register) ? 1 : 0;
        for (int symbol = 0; symbol < 256; symbol++)
            if (Spelled.Step(register, symbol) is var next && next != SpelledText.Dead)
                count = Math.Min(MostCounted + 1, count + Math.Min(MostCounted + 1, CountFrom(next)));
        _counts.Add(register, count);
        return count;
    }
}
