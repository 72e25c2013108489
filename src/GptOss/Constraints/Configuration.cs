using GptOss.Constraints.Walkers;
using GptOss.Sampling;

namespace GptOss.Constraints;

/// <summary>
/// All readings of a text so far: what may follow depends on nothing else, but for a recorded text. What was worked out
/// of it is kept beside.
/// </summary>
internal sealed class Configuration
{
    /// <summary>A target that was not worked out.</summary>
    public const int Unknown = 0;

    /// <summary>The target where no text goes on.</summary>
    public const int Dead = -1;

    /// <summary>The target where what follows depends on the recorded text, which no configuration knows.</summary>
    public const int Ask = -2;

    private int _symbol = -1; // the only entry while there is no row
    private int _target;

    /// <param name="id">Its number, from 1, as long as the grammar forgets nothing.</param>
    /// <param name="generation">How often the grammar had forgotten when the configuration was made.</param>
    /// <param name="readings">The readings in their order.</param>
    public Configuration(int id, int generation, Reading[] readings)
    {
        (Id, Generation, Readings) = (id, generation, readings);
        foreach (ref readonly Reading reading in readings.AsSpan())
        {
            IsComplete |= reading.Walker is EndWalker;
            IsRecording |= reading.Walker.IsRecording(reading);
            IsPending |= reading.Walker.IsPending(reading);
            IsFree |= reading.Walker.IsFree(reading);
            Survives = Math.Max(Survives, reading.Walker.Survives(reading));
        }
    }

    /// <summary>The number of the configuration among those of its generation.</summary>
    public int Id { get; }

    /// <summary>How often the grammar had forgotten before.</summary>
    public int Generation { get; }

    /// <summary>The readings in their order.</summary>
    public Reading[] Readings { get; }

    /// <summary>Whether the text may end.</summary>
    public bool IsComplete { get; }

    /// <summary>Whether the last bytes are recorded, because they have to differ from others.</summary>
    public bool IsRecording { get; }

    /// <summary>Whether a recorded text is complete, so that the next byte depends on it.</summary>
    public bool IsPending { get; }

    /// <summary>Whether every byte is free.</summary>
    public bool IsFree { get; }

    /// <summary>How many plain characters may surely come next, whichever they are.</summary>
    public int Survives { get; }

    /// <summary>
    /// How many steps it took to work out the targets that are known, if nothing had been known before.
    /// </summary>
    public long Steps { get; set; }

    /// <summary>The number of the work for which <see cref="Steps"/> are counted already.</summary>
    public int Work { get; set; }

    /// <summary>The one that allows the same tokens and stands for many; null until it is looked for.</summary>
    public Configuration? Representative { get; set; }

    /// <summary>The only symbol that may follow, or -1; null until it is looked for.</summary>
    public int? Forced { get; set; }

    /// <summary>The tokens that may follow, once they were worked out for <see cref="MaskOwner"/>.</summary>
    public TokenMask? Mask { get; set; }

    /// <summary>For whom <see cref="Mask"/> was worked out.</summary>
    public object? MaskOwner { get; set; }

    /// <summary>
    /// Of each symbol: where its target stands among <see cref="Targets"/>; 0 for all that certainly cannot follow.
    /// Null while there is no row.
    /// </summary>
    public ushort[]? Columns { get; private set; }

    /// <summary>The numbers of the configurations behind symbols, with <see cref="Dead"/> at 0.</summary>
    public int[] Targets { get; private set; } = [];

    /// <summary>The target of a symbol, if it was worked out.</summary>
    public int Known(int symbol) =>
        Columns is not null ? Targets[Columns[symbol]]
        : _symbol == symbol ? _target
        : Unknown;

    /// <summary>Keeps a target, where there is room: only the first symbol needs no row.</summary>
    /// <returns>Whether there was room.</returns>
    public bool TryKeep(int symbol, int target)
    {
        if (Columns is not null)
        {
            if (Columns[symbol] > 0)
                Targets[Columns[symbol]] = target;
        }
        else if (_symbol < 0)
            (_symbol, _target) = (symbol, target);
        else
            return false;
        return true;
    }

    /// <summary>Makes the row of targets.</summary>
    /// <param name="columns">Of each symbol that may follow: its place in the row, from 1.</param>
    /// <param name="count">How many symbols may follow.</param>
    public void MakeRow(ushort[] columns, int count)
    {
        (Columns, Targets) = (columns, new int[count + 1]);
        Targets[0] = Dead;
        if (_symbol >= 0)
            TryKeep(_symbol, _target);
    }
}
