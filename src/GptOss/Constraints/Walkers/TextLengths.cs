using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Walkers;

/// <summary>Bounds on the length of the texts of a language, as the counter of a register knows them.</summary>
internal sealed class TextLengths
{
    /// <summary>
    /// Counters that differ by no more than a token's characters may allow different tokens: the longest token of
    /// o200k_harmony has 128.
    /// </summary>
    public const int Margin = 129;

    /// <summary>The highest count of a register; no text of a context is that long.</summary>
    private const int MostCount = (1 << 22) - 2;

    private readonly CodePointDfa _language;
    private readonly int _min;
    private readonly int _max; // int.MaxValue: no bound
    private readonly LengthWindow? _window; // null: no bounds, so nothing is counted

    public TextLengths(CodePointDfa language, int min, int? max, CompileBudget budget)
    {
        (_language, _min) = (language, min);
        _max = max is { } bound and < MostCount ? bound : int.MaxValue;
        if (!_language.IsEmpty && (_min > 0 || _max != int.MaxValue))
            _window = new LengthWindow(_language, _min, _max == int.MaxValue ? null : _max, budget);
    }

    /// <summary>The count behind one more code point.</summary>
    public int Next(int count) => _window is null || (_max == int.MaxValue && count >= _min) ? count : count + 1;

    /// <summary>Whether a text of that many code points may end.</summary>
    public bool MayEnd(int count) => count >= _min && count <= _max;

    /// <summary>Whether from a state, some code points read, the end can be reached at an accepted length.</summary>
    public bool IsAlive(int state, int count) => _window is null || _window.CanEnd(state, count);

    /// <summary>How many code points may surely follow, whichever they are, as far as lengths are concerned.</summary>
    public int SurelyFree(int count)
    {
        if (_window is null)
            return DfaMeasures.Endless;
        if (count + 1 < _window.FirstFree)
            return 0;
        return _max == int.MaxValue ? DfaMeasures.Endless : Math.Max(0, _window.LastFree - count);
    }

    /// <summary>Whether no more characters may follow than surely do, because of the lengths alone.</summary>
    public bool IsExact(int state, int count) =>
        _language.Measures.PlainLife(state) == DfaMeasures.Endless
        && (_window is null || (_window.LastFree == _max && count + 1 >= _window.FirstFree));

    /// <summary>The least count at which the same tokens are allowed.</summary>
    public int Representative(int count)
    {
        if (_window is null || count < _window.FirstFree)
            return count;
        if (count + Margin < _min)
            return _window.FirstFree;
        int first = Math.Max(_min, _window.FirstFree);
        return count >= first && (_max == int.MaxValue || count + Margin <= _window.LastFree) ? first : count;
    }
}
