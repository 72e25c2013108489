using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Walkers;

/// <summary>
/// A regular language over code points as it is spelled in bytes: UTF-8, and inside a JSON string one spelling for each
/// value. All of its state is a register of 64 bits, so nothing is made for a language but what its lengths need.
/// </summary>
/// <remarks>
/// The register, from its low end: 21 bits state of the language, 3 bits <see cref="Mode"/>, 2 bits bytes left of a
/// code point, 16 bits the code point's bits so far, 22 bits number of code points read where a length counts. A code
/// point begun is forgotten as soon as all that can still complete it lead to the same state.
/// </remarks>
internal sealed class SpelledText
{
    /// <summary>What <see cref="Step"/> gives where no text of the language goes on.</summary>
    public const ulong Dead = ulong.MaxValue;

    private const int ModeAt = 21,
        LeftAt = 24,
        ValueAt = 26,
        CountAt = 42;

    private readonly CodePointDfa _language;
    private readonly TextLengths _lengths;
    private readonly bool _isQuoted;

    public SpelledText(TextShape shape, CompileBudget budget)
    {
        (_language, _isQuoted) = (shape.Language, shape.IsQuoted);
        _lengths = new TextLengths(shape.Language, shape.MinLength, shape.MaxLength, budget);
        Start = Register(CodePointDfa.Start, _isQuoted ? Mode.Before : Mode.Inside, default, 0);
    }

    private enum Mode
    {
        Before, // the opening quote
        Inside,
        Partial, // some bytes of a code point are read
        Settled, // like Partial, but the state is the one behind the code point
        Backslash,
        BackslashU, // the value holds how many digits are read, and the third of them
        Done, // the closing quote is read
    }

    /// <summary>The register before the first byte.</summary>
    public ulong Start { get; }

    /// <summary>Whether any text is in the language.</summary>
    public bool IsEmpty => _language.IsEmpty || !_lengths.IsAlive(CodePointDfa.Start, 0);

    /// <summary>Whether a text may end here.</summary>
    public bool Accepts(ulong register) =>
        ModeOf(register) switch
        {
            Mode.Done => true,
            Mode.Inside => !_isQuoted && MayEnd(register),
            _ => false,
        };

    /// <summary>Whether no text goes on from here.</summary>
    public bool IsDone(ulong register) =>
        ModeOf(register) == Mode.Done
        || (ModeOf(register) == Mode.Inside && !_isQuoted && _language.Edges(StateOf(register)).IsEmpty);

    /// <summary>The register behind a byte, or <see cref="Dead"/>.</summary>
    public ulong Step(ulong register, int symbol) =>
        ModeOf(register) switch
        {
            Mode.Before => symbol == '"' ? Register(StateOf(register), Mode.Inside, default, 0) : Dead,
            Mode.Inside => StepInside(register, symbol),
            Mode.Partial => StepPartial(register, symbol),
            Mode.Settled => StepSettled(register, symbol),
            Mode.Backslash => StepBackslash(register, symbol),
            Mode.BackslashU => StepBackslashU(register, symbol),
            _ => Dead,
        };

    /// <summary>Adds the bytes that may follow, and perhaps some that may not.</summary>
    public void AddSymbols(ulong register, SymbolSet symbols)
    {
        switch (ModeOf(register))
        {
            case Mode.Before:
                symbols.Add('"');
                break;
            case Mode.Inside:
                foreach (DfaEdge edge in _language.Edges(StateOf(register)))
                    symbols.AddLeads(edge.First, edge.Last);
                if (_isQuoted)
                    symbols.Add('"');
                if (_isQuoted)
                    symbols.Add('\\');
                break;
            case Mode.Partial or Mode.Settled:
                symbols.AddContinuations();
                break;
            case Mode.Backslash or Mode.BackslashU:
                symbols.Add(' ', 'z');
                break;
        }
    }

    /// <summary>
    /// The state of the language from which the text goes on; null within a character of which it is not known yet.
    /// </summary>
    public int? StateAt(ulong register) =>
        ModeOf(register) is Mode.Before or Mode.Inside or Mode.Settled ? StateOf(register) : null;

    /// <summary>How many plain characters, whichever they are, surely go on from here.</summary>
    public int Survives(ulong register)
    {
        if (ModeOf(register) != Mode.Inside)
            return 0;
        int count = CountOf(register);
        return Math.Min(_language.Measures.PlainLife(StateOf(register)), _lengths.SurelyFree(count));
    }

    /// <summary>Whether plain characters never end the text.</summary>
    /// <param name="register">Where the text stands.</param>
    /// <param name="text">This text, where its steps say which plain tokens go on; else none does but those that surely
    /// do.</param>
    public bool IsPlainInside(ulong register, out SpelledText? text)
    {
        bool isSaid = ModeOf(register) switch
        {
            Mode.Inside => _lengths.IsExact(StateOf(register), CountOf(register)),
            Mode.Backslash or Mode.BackslashU => false, // plain letters are something else there
            _ => true, // what follows is no plain character
        };
        text = isSaid ? null : this;
        return _isQuoted;
    }

    /// <summary>The register that allows the same tokens, with the count of many others.</summary>
    public ulong Representative(ulong register) => Counted(register, _lengths.Representative(CountOf(register)));

    private ulong StepInside(ulong register, int symbol)
    {
        if (_isQuoted)
        {
            if (symbol == '"')
                return MayEnd(register) ? Register(0, Mode.Done, default, 0) : Dead;
            if (symbol == '\\')
                return HasEscape(register) ? With(register, Mode.Backslash, default) : Dead;
            if (symbol < ' ')
                return Dead;
        }
        if (symbol < 0x80)
            return Read(register, symbol);
        return PartialCodePoint.TryBegin(symbol, out PartialCodePoint partial) ? Begun(register, partial) : Dead;
    }

    private ulong StepPartial(ulong register, int symbol)
    {
        if (!PartialOf(register).TryAppend(symbol, out PartialCodePoint longer))
            return Dead;
        return longer.Left == 0 ? Read(register, longer.Value) : Begun(register, longer);
    }

    private static ulong StepSettled(ulong register, int symbol)
    {
        if (symbol is < 0x80 or > 0xBF)
            return Dead;
        int left = PartialOf(register).Left - 1;
        return left == 0 ? With(register, Mode.Inside, default) : With(register, Mode.Settled, new(0, left));
    }

    private ulong StepBackslash(ulong register, int symbol)
    {
        if (symbol == 'u')
            return HasLongEscape(register, 0, 0x1F) ? With(register, Mode.BackslashU, default) : Dead;
        int at = JsonEscapes.Letters.IndexOf((char)symbol);
        return at < 0 ? Dead : Read(register, JsonEscapes.Characters[at]);
    }

    // Of \u00xx the first two digits are zeros, the third 0 or 1.
    private ulong StepBackslashU(ulong register, int symbol)
    {
        (int third, int digits) = PartialOf(register);
        if (digits < 2)
            return symbol == '0' ? With(register, Mode.BackslashU, new(0, digits + 1)) : Dead;
        if (digits == 2)
        {
            int row = symbol - '0';
            return row is 0 or 1 && HasLongEscape(register, row * 16, row * 16 + 15)
                ? With(register, Mode.BackslashU, new(row, 3))
                : Dead;
        }
        int digit = symbol is >= 'a' and <= 'f' ? symbol - 'a' + 10 : symbol - '0';
        if (digit is < 0 or > 15 || (digit > 9 && symbol <= '9'))
            return Dead;
        int character = third * 16 + digit;
        return JsonEscapes.Characters.Contains((char)character) ? Dead : Read(register, character);
    }

    private bool HasEscape(ulong register)
    {
        foreach (char character in JsonEscapes.Characters)
            if (Read(register, character) != Dead)
                return true;
        return HasLongEscape(register, 0, 0x1F);
    }

    private bool HasLongEscape(ulong register, int first, int last)
    {
        foreach (DfaEdge edge in _language.Edges(StateOf(register)))
        {
            if (edge.First > last)
                return false;
            for (int at = Math.Max(first, edge.First); at <= Math.Min(last, edge.Last); at++)
                if (!JsonEscapes.Characters.Contains((char)at) && Read(register, at) != Dead)
                    return true;
        }
        return false;
    }

    // A code point is whole.
    private ulong Read(ulong register, int codePoint) =>
        Behind(register, _language.Next(StateOf(register), codePoint), Mode.Inside, default);

    private ulong Behind(ulong register, int state, Mode mode, PartialCodePoint partial)
    {
        int count = _lengths.Next(CountOf(register));
        return state != CodePointDfa.Dead && _lengths.IsAlive(state, count)
            ? Register(state, mode, partial, count)
            : Dead;
    }

    // Some bytes of a code point are read: dead if none can be completed, settled if all lead to one state.
    private ulong Begun(ulong register, PartialCodePoint partial)
    {
        int first = partial.First,
            last = partial.Last,
            count = _lengths.Next(CountOf(register)),
            covered = first,
            target = CodePointDfa.Dead;
        bool isOne = true,
            isAlive = false;
        foreach (DfaEdge edge in _language.Edges(StateOf(register)))
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
            ? Behind(register, target, Mode.Settled, new(0, partial.Left))
            : With(register, Mode.Partial, partial);
    }

    private bool MayEnd(ulong register) => _language.Accepts(StateOf(register)) && _lengths.MayEnd(CountOf(register));

    private static ulong Register(int state, Mode mode, PartialCodePoint partial, int count) =>
        (uint)state
        | ((ulong)mode << ModeAt)
        | ((ulong)partial.Left << LeftAt)
        | ((ulong)partial.Value << ValueAt)
        | ((ulong)count << CountAt);

    private static ulong With(ulong register, Mode mode, PartialCodePoint partial) =>
        Register(StateOf(register), mode, partial, CountOf(register));

    private static ulong Counted(ulong register, int count) =>
        (register & ((1UL << CountAt) - 1)) | ((ulong)count << CountAt);

    private static int StateOf(ulong register) => (int)(register & ((1UL << ModeAt) - 1));

    private static Mode ModeOf(ulong register) => (Mode)((register >> ModeAt) & 7);

    private static PartialCodePoint PartialOf(ulong register) =>
        new((int)((register >> ValueAt) & 0xFFFF), (int)((register >> LeftAt) & 3));

    private static int CountOf(ulong register) => (int)(register >> CountAt);
}
