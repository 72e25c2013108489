using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Walkers;

/// <summary>
/// Walks a JSON string of which at most the length matters. The register holds the state of <see cref="FreeString"/>
/// in its low byte and above it the characters read.
/// </summary>
internal sealed class FreeStringWalker(FreeStringShape shape) : Walker
{
    private readonly ulong _min = (ulong)shape.MinLength;
    private readonly ulong _max = (ulong)(shape.MaxLength ?? int.MaxValue);

    /// <inheritdoc/>
    public override void Enter(Callers callers, Successors successors)
    {
        if (_min <= _max)
            successors.Add(new Reading(this, callers, null, null, FreeString.Before));
    }

    /// <inheritdoc/>
    public override void Step(in Reading reading, int symbol, Successors successors)
    {
        int state = (int)(reading.Register & 0xFF);
        ulong count = reading.Register >> 8;
        int next = FreeString.Next(state, symbol);
        if (next == FreeString.Dead)
            return;
        if (state == FreeString.Inside)
        {
            bool ends = next == FreeString.Done;
            if (ends ? count < _min : count == _max)
                return;
            if (ends)
                successors.Complete(reading.Callers);
        }
        // A .NET char reads no character beyond the basic plane.
        if (next == FreeString.Done || (_max == 1 && FreeString.IsBeyondBasicPlane(next)))
            return;
        if (next == FreeString.Inside && state != FreeString.Before && (IsBounded || count < _min))
            count++;
        successors.Add(reading with { Register = (uint)next | (count << 8) });
    }

    /// <inheritdoc/>
    public override void AddSymbols(in Reading reading, SymbolSet symbols) =>
        FreeString.AddSymbols((int)(reading.Register & 0xFF), symbols);

    /// <inheritdoc/>
    public override int Survives(in Reading reading)
    {
        if ((reading.Register & 0xFF) != FreeString.Inside || _max == 1)
            return 0;
        return IsBounded ? (int)(_max - (reading.Register >> 8)) : DfaMeasures.Endless;
    }

    /// <inheritdoc/>
    public override bool IsPlainInside(in Reading reading, out SpelledText? text)
    {
        text = null;
        // One character may be of the basic plane or not, and behind a backslash plain letters are something else.
        return _max != 1 && !FreeString.IsEscape((int)(reading.Register & 0xFF));
    }

    /// <inheritdoc/>
    public override Reading Representative(in Reading reading)
    {
        ulong count = reading.Register >> 8;
        if (count + TextLengths.Margin < _min)
            count = 0;
        else if (count >= _min && (!IsBounded || count + TextLengths.Margin < _max))
            count = _min;
        return reading with { Register = (reading.Register & 0xFF) | (count << 8) };
    }

    private bool IsBounded => _max != int.MaxValue;
}
