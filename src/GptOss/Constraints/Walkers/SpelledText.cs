using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Walkers;

/// <summary>
/// A regular language over code points as it is spelled in bytes: UTF-8, and inside a JSON string with the escapes of
/// <see cref="JsonEscapes"/>. All of its state is a <see cref="SpelledRegister"/>, so nothing is made for a language
/// but what its lengths need.
/// </summary>
/// <remarks>
/// A code point begun in UTF-8 is forgotten as soon as all that can still complete it lead to the same state.
/// </remarks>
internal sealed class SpelledText
{
    /// <summary>What <see cref="Step"/> gives where no text of the language goes on.</summary>
    public const ulong Dead = ulong.MaxValue;

    /// <summary>
    /// What a step within an escape costs, where another one is a step: what the escape can become is looked for.
    /// </summary>
    public const int StepsOfEscape = 8;

    private readonly CodePointDfa _language;
    private readonly TextLengths _lengths;
    private readonly bool _isQuoted;

    public SpelledText(TextShape shape, CompileBudget budget)
    {
        (_language, _isQuoted) = (shape.Language, shape.IsQuoted);
        _lengths = new TextLengths(shape.Language, shape.MinLength, shape.MaxLength, budget);
        Start = SpelledRegister.Start(_isQuoted ? SpelledMode.Before : SpelledMode.Inside).Bits;
    }

    /// <summary>The register before the first byte.</summary>
    public ulong Start { get; }

    /// <summary>Whether any text is in the language.</summary>
    public bool IsEmpty => _language.IsEmpty || !_lengths.IsAlive(CodePointDfa.Start, 0);

    /// <summary>Whether a text may end here.</summary>
    public bool Accepts(ulong bits) =>
        new SpelledRegister(bits) is var register
        && register.Mode switch
        {
            SpelledMode.Done => true,
            SpelledMode.Inside => !_isQuoted && MayEnd(register),
            _ => false,
        };

    /// <summary>Whether no text goes on from here.</summary>
    public bool IsDone(ulong bits)
    {
        var register = new SpelledRegister(bits);
        return register.Mode == SpelledMode.Done
            || (register.Mode == SpelledMode.Inside && !_isQuoted && _language.Edges(register.State).IsEmpty);
    }

    /// <summary>The register behind a byte, or <see cref="Dead"/>.</summary>
    public ulong Step(ulong bits, int symbol)
    {
        var register = new SpelledRegister(bits);
        return register.Mode switch
        {
            SpelledMode.Before => symbol == '"' ? register.With(SpelledMode.Inside).Bits : Dead,
            SpelledMode.Inside => StepInside(register, symbol),
            SpelledMode.Partial => StepPartial(register, symbol),
            SpelledMode.Settled => StepSettled(register, symbol),
            SpelledMode.Escape => Escaped(register, register.Escape.Next(symbol)),
            _ => Dead,
        };
    }

    /// <summary>Adds the bytes that may follow, and perhaps some that may not.</summary>
    public void AddSymbols(ulong bits, SymbolSet symbols)
    {
        var register = new SpelledRegister(bits);
        switch (register.Mode)
        {
            case SpelledMode.Before:
                symbols.Add('"');
                break;
            case SpelledMode.Inside:
                foreach (DfaEdge edge in _language.Edges(register.State))
                    symbols.AddLeads(edge.First, edge.Last);
                if (_isQuoted)
                    symbols.Add('"');
                if (_isQuoted)
                    symbols.Add('\\');
                break;
            case SpelledMode.Partial or SpelledMode.Settled:
                symbols.AddContinuations();
                break;
            case SpelledMode.Escape:
                symbols.Add(' ', 'z');
                break;
        }
    }

    /// <summary>
    /// The state of the language from which the text goes on; null within a character of which it is not known yet.
    /// </summary>
    public static int? StateAt(ulong bits)
    {
        var register = new SpelledRegister(bits);
        return register.Mode is SpelledMode.Before or SpelledMode.Inside or SpelledMode.Settled ? register.State : null;
    }

    /// <summary>Whether an escape has begun.</summary>
    public static bool IsEscape(ulong bits) => new SpelledRegister(bits).Mode == SpelledMode.Escape;

    /// <summary>How many plain characters, whichever they are, surely go on from here.</summary>
    public int Survives(ulong bits)
    {
        var register = new SpelledRegister(bits);
        if (register.Mode != SpelledMode.Inside)
            return 0;
        return Math.Min(_language.Measures.PlainLife(register.State), _lengths.SurelyFree(register.Count));
    }

    /// <summary>Whether plain characters never end the text.</summary>
    /// <param name="bits">Where the text stands.</param>
    /// <param name="text">This text, where its steps say which plain tokens go on; else none does but those that surely
    /// do.</param>
    public bool IsPlainInside(ulong bits, out SpelledText? text)
    {
        var register = new SpelledRegister(bits);
        bool isSaid = register.Mode switch
        {
            SpelledMode.Inside => _lengths.IsExact(register.State, register.Count),
            SpelledMode.Escape => false, // plain letters are something else there
            _ => true, // what follows is no plain character
        };
        text = isSaid ? null : this;
        return _isQuoted;
    }

    /// <summary>The register that allows the same tokens, with the count of many others.</summary>
    public ulong Representative(ulong bits)
    {
        var register = new SpelledRegister(bits);
        return register.At(register.State, _lengths.Representative(register.Count)).Bits;
    }

    /// <summary>
    /// How many values a text can still become, whatever their lengths; <see cref="long.MaxValue"/> for more.
    /// </summary>
    /// <param name="bits">Where the text stands, amid no escape.</param>
    public long Texts(ulong bits)
    {
        var register = new SpelledRegister(bits);
        long texts = _language.Measures.Texts(register.State);
        switch (register.Mode)
        {
            case SpelledMode.Done:
                return 1;
            case SpelledMode.Settled:
                return Times(texts, 1 << (6 * register.Partial.Left));
            case SpelledMode.Partial:
                texts = 0;
                foreach (DfaEdge edge in _language.Edges(register.State))
                {
                    int codePoints =
                        Math.Min(edge.Last, register.Partial.Last) - Math.Max(edge.First, register.Partial.First) + 1;
                    long more = codePoints > 0 ? Times(_language.Measures.Texts(edge.Target), codePoints) : 0;
                    texts = more > long.MaxValue - texts ? long.MaxValue : texts + more;
                }
                return texts;
            default:
                return texts;
        }
    }

    /// <summary>The code points that an escape begun here can become so that some text goes on.</summary>
    public IEnumerable<int> Escapable(ulong bits) => Escapable(new SpelledRegister(bits));

    /// <summary>The register behind a code point, however it was written, or <see cref="Dead"/>.</summary>
    /// <param name="bits">Where the text stands before it.</param>
    /// <param name="codePoint">The code point as a value.</param>
    public ulong Read(ulong bits, int codePoint) => Read(new SpelledRegister(bits), codePoint);

    private ulong StepInside(SpelledRegister register, int symbol)
    {
        if (_isQuoted)
        {
            if (symbol == '"')
                return MayEnd(register) ? SpelledRegister.Start(SpelledMode.Done).Bits : Dead;
            if (symbol == '\\')
                return Escaped(register, EscapedCodePoint.Begin(symbol));
            if (symbol < ' ')
                return Dead;
        }
        if (symbol < 0x80)
            return Read(register, symbol);
        return PartialCodePoint.TryBegin(symbol, out PartialCodePoint partial) ? Begun(register, partial) : Dead;
    }

    private ulong StepPartial(SpelledRegister register, int symbol)
    {
        if (!register.Partial.TryAppend(symbol, out PartialCodePoint longer))
            return Dead;
        return longer.Left == 0 ? Read(register, longer.Value) : Begun(register, longer);
    }

    private static ulong StepSettled(SpelledRegister register, int symbol)
    {
        if (symbol is < 0x80 or > 0xBF)
            return Dead;
        int left = register.Partial.Left - 1;
        return left == 0
            ? register.With(SpelledMode.Inside).Bits
            : register.With(SpelledMode.Settled, new PartialCodePoint(0, left)).Bits;
    }

    private ulong Escaped(SpelledRegister register, EscapedCodePoint escape)
    {
        if (escape.IsWhole)
            return Read(register, escape.Value);
        SpelledRegister begun = register.With(escape);
        return escape.IsBegun && Escapable(begun).Any() ? begun.Bits : Dead;
    }

    private IEnumerable<int> Escapable(SpelledRegister register)
    {
        EscapedCodePoint escape = register.Escape;
        if (escape.IsShort)
            foreach (char character in JsonEscapes.Characters.ToArray())
                if (Read(register, character) != Dead)
                    yield return character;
        CodePointRange[] ranges = [escape.Basic, escape.Beyond];
        for (int at = 0; at < _language.Edges(register.State).Length; at++)
        {
            DfaEdge edge = _language.Edges(register.State)[at];
            if (!_lengths.IsAlive(edge.Target, _lengths.Next(register.Count)))
                continue;
            foreach (CodePointRange range in ranges)
            {
                int last = Math.Min(edge.Last, range.Last),
                    next = JsonEscapes.Optional.AtLeast(Math.Max(edge.First, range.First));
                for (; next >= 0 && next <= last; next = JsonEscapes.Optional.AtLeast(next + 1))
                    yield return next;
            }
        }
    }

    // A code point is whole.
    private ulong Read(SpelledRegister register, int codePoint) =>
        Behind(register.With(SpelledMode.Inside), _language.Next(register.State, codePoint));

    private ulong Behind(SpelledRegister register, int state)
    {
        int count = _lengths.Next(register.Count);
        return state != CodePointDfa.Dead && _lengths.IsAlive(state, count) ? register.At(state, count).Bits : Dead;
    }

    // Some bytes of a code point are read: dead if none can be completed, settled if all lead to one state.
    private ulong Begun(SpelledRegister register, PartialCodePoint partial)
    {
        int first = partial.First,
            last = partial.Last,
            count = _lengths.Next(register.Count),
            covered = first,
            target = CodePointDfa.Dead;
        bool isOne = true,
            isAlive = false;
        foreach (DfaEdge edge in _language.Edges(register.State))
        {
            if (edge.Last < first)
                continue;
            if (edge.First > last)
                break;
            if (!_lengths.IsAlive(edge.Target, count))
                continue;
            isAlive = true;
            isOne &= edge.First <= covered && (target == CodePointDfa.Dead || target == edge.Target);
            (covered, target) = (edge.Last + 1, edge.Target);
        }
        if (!isAlive)
            return Dead;
        return isOne && covered > last && partial.IsUniform
            ? Behind(register.With(SpelledMode.Settled, new PartialCodePoint(0, partial.Left)), target)
            : register.With(SpelledMode.Partial, partial).Bits;
    }

    private static long Times(long texts, int codePoints) =>
        texts > long.MaxValue / codePoints ? long.MaxValue : texts * codePoints;

    private bool MayEnd(SpelledRegister register) =>
        _language.Accepts(register.State) && _lengths.MayEnd(register.Count);
}
