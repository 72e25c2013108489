using GptOss.Constraints.Walkers;
using GptOss.Sampling;

namespace GptOss.Constraints;

/// <summary>All readings of a text so far: what may follow depends on nothing else, but for a recorded text.</summary>
internal sealed class Configuration
{
    private int _symbol = -1; // the only entry while there is no row
    private Configuration? _next;

    public Configuration(Reading[] readings)
    {
        Readings = readings;
        foreach (ref readonly Reading reading in readings.AsSpan())
        {
            IsComplete |= reading.Walker is EndWalker;
            IsRecording |= reading.Walker.IsRecording(reading);
            IsPending |= reading.Walker.IsPending(reading);
            IsFree |= reading.Walker.IsFree(reading);
        }
    }

    /// <summary>No text goes on.</summary>
    public static Configuration Dead { get; } = new([]);

    /// <summary>What follows depends on the recorded text, which is not part of a configuration.</summary>
    public static Configuration Ask { get; } = new([]);

    /// <summary>The readings, sorted.</summary>
    public Reading[] Readings { get; }

    /// <summary>Whether the text may end.</summary>
    public bool IsComplete { get; }

    /// <summary>Whether the last bytes are recorded, because they have to differ from others.</summary>
    public bool IsRecording { get; }

    /// <summary>Whether a recorded text is complete, so that the next byte depends on it.</summary>
    public bool IsPending { get; }

    /// <summary>Whether every byte is free.</summary>
    public bool IsFree { get; }

    /// <summary>The configuration that allows the same tokens and stands for many; null until it is looked for.</summary>
    public Configuration? Representative { get; set; }

    /// <summary>The only symbol that may follow, -1 where there are several or none; null until it is looked for.</summary>
    public int? Forced { get; set; }

    /// <summary>The tokens that may follow, once they were worked out for <see cref="MaskOwner"/>.</summary>
    public TokenMask? Mask { get; set; }

    /// <summary>The vocabulary of <see cref="Mask"/>.</summary>
    public object? MaskOwner { get; set; }

    /// <summary>
    /// The configurations behind each symbol, null where they were not worked out; null while there are none at all.
    /// </summary>
    public Configuration?[]? Row { get; private set; }

    /// <summary>The configuration behind a symbol, if it was worked out.</summary>
    public Configuration? Known(int symbol) => Row is null ? (_symbol == symbol ? _next : null) : Row[symbol];

    /// <summary>Keeps what was worked out, where there is room: only the first symbol needs no row.</summary>
    /// <returns>Whether there was room.</returns>
    public bool TryKeep(int symbol, Configuration next)
    {
        if (Row is not null)
            Row[symbol] = next;
        else if (_symbol < 0)
            (_symbol, _next) = (symbol, next);
        else
            return false;
        return true;
    }

    /// <summary>Makes the row, in which symbols that cannot follow are dead at once.</summary>
    /// <param name="possible">A set to be used for that.</param>
    public Configuration?[] MakeRow(SymbolSet possible)
    {
        possible.Clear();
        foreach (ref readonly Reading reading in Readings.AsSpan())
            reading.Walker.AddSymbols(reading, possible);
        Row = new Configuration?[SymbolSet.Symbols];
        Array.Fill(Row, Dead);
        for (int symbol = possible.Next(0); symbol >= 0; symbol = possible.Next(symbol + 1))
            Row[symbol] = null;
        if (_symbol >= 0)
            Row[_symbol] = _next;
        return Row;
    }

    /// <summary>Forgets what can be worked out again.</summary>
    public void Forget()
    {
        (Row, _symbol, _next) = (null, -1, null);
        (Representative, Forced, Mask, MaskOwner) = (null, null, null, null);
    }
}
