using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Walkers;

/// <summary>The language of texts that have to differ from each other, and how many of them there are.</summary>
internal sealed class RecordedText
{
    private readonly CodePointDfa _language;

    /// <param name="spelled">The language in bytes.</param>
    /// <param name="shape">The language; bounds of length are part of it, not beside it.</param>
    /// <exception cref="LimitException">The texts are few, but too long to be kept.</exception>
    public RecordedText(SpelledText spelled, TextShape shape)
    {
        if (shape.MinLength > 0 || shape.MaxLength is not null)
            throw new InvalidOperationException("Texts that differ have no length beside their language.");
        (Spelled, Shape, _language) = (spelled, shape, shape.Language);
        CodePointDfa language = shape.Language;
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
        Count = IsEndless ? long.MaxValue : language.Measures.Texts(CodePointDfa.Start);
    }

    /// <summary>The most texts that are counted: more than a context holds are as good as endlessly many.</summary>
    public const long MostCounted = 100_000;

    private const int MostLength = 2_000;

    /// <summary>The language in bytes.</summary>
    public SpelledText Spelled { get; }

    /// <summary>The language in code points.</summary>
    public TextShape Shape { get; }

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
        IsEndlessEverywhere || (SpelledText.StateAt(register) is { } state && IsEndlessIn(state));

    /// <summary>Whether some text goes on from here that is not among the used ones.</summary>
    /// <param name="register">Where the text stands.</param>
    /// <param name="used">Where the used ones stand, as <see cref="Next"/> says.</param>
    /// <param name="payer">Pays for looking at the used ones.</param>
    public bool IsAlive(ulong register, UsedTexts used, Successors payer)
    {
        if (ReferenceEquals(used, UsedTexts.Off) || IsEndlessAt(register))
            return true;
        return new SpelledRegister(register).Mode == SpelledMode.Escape
            ? Spelled.Escapable(register).Any(next => IsAlive(Spelled.Read(register, next), Behind(used, next), payer))
            : AreMoreThanUsed(register, used, payer);
    }

    /// <summary>
    /// How many plain characters, whichever they are, surely go on from here to where some text is not used.
    /// </summary>
    public int Survives(ulong register, UsedTexts used)
    {
        int count = Spelled.Survives(register);
        // Behind all but the last of them every plain character goes on, and these are more than could be used.
        return count is 0 or DfaMeasures.Endless || ReferenceEquals(used, UsedTexts.Off) ? count : count - 1;
    }

    /// <summary>Where used texts stand behind one more byte of a text; amid an escape it is where they stood.</summary>
    /// <param name="used">Where they stand before it.</param>
    /// <param name="register">Where the text stands before it.</param>
    /// <param name="symbol">The byte as it was read.</param>
    /// <param name="next">Where the text stands behind it.</param>
    public static UsedTexts Next(UsedTexts used, ulong register, int symbol, ulong next)
    {
        if (new SpelledRegister(next).Mode == SpelledMode.Escape)
            return used;
        EscapedCodePoint escape = new SpelledRegister(register).Escape;
        return escape.IsBegun ? Behind(used, escape.Next(symbol).Value) : used.Next(symbol);
    }

    /// <summary>A text as used ones are kept, whichever of its spellings was read.</summary>
    public static byte[] Respelled(byte[] text)
    {
        if (text.AsSpan().IndexOf("\\u"u8) < 0)
            return text;
        var spelled = new List<byte>(text.Length);
        EscapedCodePoint escape = EscapedCodePoint.None;
        foreach (byte symbol in text)
        {
            escape = escape.IsBegun ? escape.Next(symbol) : EscapedCodePoint.Begin(symbol);
            if (escape.IsWhole)
                spelled.AddRange(JsonEscapes.Spelled(escape.Value));
            else if (!escape.IsBegun)
                spelled.Add(symbol);
        }
        return [.. spelled];
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

    private static UsedTexts Behind(UsedTexts used, int codePoint)
    {
        foreach (byte label in JsonEscapes.Spelled(codePoint))
            used = used.Next(label);
        return used;
    }

    // Mostly all that are used below a place are fewer than the texts that go on from there. Else those among them are
    // counted that are texts of this language, as names are none that were declared.
    private bool AreMoreThanUsed(ulong register, UsedTexts used, Successors payer)
    {
        long texts = Spelled.Texts(register);
        if (texts > used.Count)
            return true;
        long count = 0;
        var open = new Stack<(ulong Register, UsedTexts Used)>();
        open.Push((register, used));
        while (open.TryPop(out (ulong Register, UsedTexts Used) at))
        {
            payer.Spend(1);
            if (at.Used.IsText && Spelled.Accepts(at.Register))
                count++;
            foreach (byte label in at.Used.Labels)
                if (Spelled.Step(at.Register, label) is var next && next != SpelledText.Dead)
                    open.Push((next, at.Used.Next(label)));
        }
        return texts > count;
    }

    private bool IsEndlessIn(int state) => _language.Measures.Texts(state) > MostCounted;
}
