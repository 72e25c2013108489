using System.Runtime.InteropServices;
using GptOss.Model;

namespace GptOss.Generation;

/// <summary>
/// Decides how many rows of prompts a pass may take beside the rows that decode, so that the pass does not hold up the
/// answers of others for long. It learns from the passes that were measured.
/// </summary>
/// <remarks>
/// A pass with decoding rows may take the smaller of <see cref="ModelOptions.MaxPassLatency"/> and four times a pass of
/// the decoding rows alone. If 8 decoding rows alone take 40 ms and a row of a prompt 2 ms, then a pass may take 160
/// ms, and (160 − 40) / 2 = 60 rows of prompts. A pass without decoding rows holds up nobody and takes
/// <see cref="ChunkRows"/>, or up to <see cref="LoneRows"/> where one prompt is all there is to do.
/// <para>
/// Behind a long context even a few rows of a prompt may take longer than that. Such a pass is paid for: no rows of
/// prompts follow until the passes have taken no longer than they may, on average. So answers keep a quarter of their
/// speed, whatever prompts stand beside them. Where decoding alone takes as long as a pass may, prompts get half of
/// that time on top. Of a forced run beside others all rows but the first count as rows of a prompt
/// (<see cref="PassPlan"/>).
/// </para>
/// <para>
/// Where nobody decodes, whoever arrives waits for the pass under way, and for no longer than twice the time that
/// <see cref="ChunkRows"/> took at the quickest. Behind a long context a row takes many times what it took before, and
/// attention is what takes it, so that many rows at once save little. So a pass takes fewer of them. The pass of a lone
/// prompt may take four times the time of a chunk, because whoever arrives too early in it ends it
/// (<see cref="YieldSeconds"/>).
/// </para>
/// </remarks>
/// <param name="maxSeconds">The longest pass, while others decode.</param>
/// <param name="loneRows">The most rows for whose activations there is memory.</param>
internal sealed class PassBudget(double maxSeconds, int loneRows = PassBudget.LoneRows)
{
    /// <summary>
    /// Rows of prompts in a pass where nobody decodes: enough for each expert to see many of them, few enough that the
    /// memory of activations stays flat.
    /// </summary>
    public const int ChunkRows = MemoryBudget.ChunkRows;

    /// <summary>
    /// Rows of a prompt that has a pass for itself. Of gpt-oss-20b each expert then sees some 256 rows instead of 64,
    /// which cost a twelfth less time each.
    /// </summary>
    public const int LoneRows = MemoryBudget.LoneRows;

    /// <summary>
    /// Rows of prompts that a pass takes at least, if it takes any: fewer take hardly less time, since attention reads
    /// the context once for several.
    /// </summary>
    private const int FewestRows = 8;

    /// <summary>Rows of prompts where nobody decodes, behind the longest context: attention runs 16 together.</summary>
    private const int LeastChunkRows = 64;

    /// <summary>Rows of prompts before anything was measured.</summary>
    private const int FirstRows = 64;

    /// <summary>A cancellation does not wait for the end of a pass that takes longer than this.</summary>
    private const double LongSeconds = 0.03;

    /// <summary>How much a new measurement counts beside those before.</summary>
    private const double Weight = 0.25;

    // Seconds of a pass of n decoding rows alone, by n; 0 where none was measured.
    private readonly List<double> _decoding = [0];
    private double _promptRow;

    // Of passes of a whole chunk or more.
    private double _leastRow;

    // By how much the passes took longer than they may, in seconds.
    private double _overdrawn;

    // Rows of prompts to be computed before a prompt may have a large pass for itself again.
    private int _rowsBeforeLone;

    /// <summary>Rows of prompts that the next pass may take; 0 while an earlier pass is paid for.</summary>
    /// <param name="decodingRows">How many rows of the pass decode.</param>
    /// <param name="isBrief">Whether the pass must be short, whoever decodes.</param>
    /// <param name="isAlone">Whether nobody runs or waits beside the one prompt.</param>
    public int PromptRows(int decodingRows, bool isBrief = false, bool isAlone = false)
    {
        if (decodingRows == 0 && !isBrief)
            return isAlone && _rowsBeforeLone <= 0 ? RowsWithin(4, loneRows) : RowsWithin(2, ChunkRows);
        double alone = Seconds(decodingRows);
        if ((alone == 0 && decodingRows > 0) || _promptRow == 0)
            return FirstRows;
        if (decodingRows > 0 && _overdrawn > 0)
            return 0;
        if (decodingRows > 0 && isBrief)
            return FewestRows;
        double left = decodingRows == 0 ? Math.Min(maxSeconds, LongSeconds) : Allowed(alone) - alone;
        return (int)Math.Clamp(left / _promptRow, FewestRows, ChunkRows);
    }

    /// <summary>
    /// Rows of prompts of a pass that answers sit out: as many as take the time that a pass with them may, so that they
    /// do not wait for a whole chunk.
    /// </summary>
    /// <param name="sitting">How many answers sit the pass out.</param>
    public int RowsInsteadOf(int sitting) =>
        Seconds(sitting) is var alone and > 0 && _promptRow > 0
            ? (int)Math.Clamp(Allowed(alone) / _promptRow, FewestRows, ChunkRows)
            : FirstRows;

    // Rows that take no longer than some chunks took at the quickest. Whole pages, where they are more than a chunk.
    private int RowsWithin(int chunks, int most)
    {
        if (_leastRow == 0)
            return ChunkRows;
        int rows = (int)Math.Clamp(chunks * ChunkRows * _leastRow / _promptRow, LeastChunkRows, most);
        return rows <= ChunkRows ? rows : rows / PageGroup.Positions * PageGroup.Positions;
    }

    /// <summary>
    /// How long after its beginning a pass ends for whoever arrives: while more of it is left than he may wait for. 0
    /// for a pass that nobody ends, which is one that a prompt need not be alone for.
    /// </summary>
    /// <param name="promptRows">How many of its rows belong to prompts, where none decodes.</param>
    public double YieldSeconds(int promptRows) =>
        promptRows <= RowsWithin(2, ChunkRows) ? 0 : Math.Max(0, promptRows * _promptRow - 2 * ChunkRows * _leastRow);

    /// <summary>
    /// Takes in that a pass ended for somebody who arrived. Its time is lost, half of a large pass at the most. So no
    /// large pass follows before as many rows were computed in others. However often somebody arrives, a prompt loses a
    /// third of its time at the most.
    /// </summary>
    public void Yielded() => _rowsBeforeLone = LoneRows;

    private double Allowed(double alone) => Math.Max(Math.Min(maxSeconds, 4 * alone), 1.5 * alone);

    /// <summary>
    /// How much longer a pass might have taken, half the time of its decoding rows at the least; as long as it took
    /// where none decodes.
    /// </summary>
    /// <param name="decodingRows">How many of its rows decoded.</param>
    /// <param name="seconds">How long the pass took.</param>
    public double Left(int decodingRows, double seconds)
    {
        double known = Seconds(decodingRows),
            alone = known == 0 ? seconds : known;
        return decodingRows == 0 ? seconds : Math.Max(Allowed(alone) - seconds, alone / 2);
    }

    /// <summary>
    /// Whether a pass is expected to take longer than a cancellation may wait for, as far as passes were measured.
    /// </summary>
    /// <param name="decodingRows">How many of its rows decode.</param>
    /// <param name="promptRows">How many of its rows belong to prompts.</param>
    public bool IsLong(int decodingRows, int promptRows)
    {
        double alone = Seconds(decodingRows);
        bool isUnknown = (decodingRows > 0 && alone == 0) || (promptRows > 0 && _promptRow == 0);
        return isUnknown || alone + promptRows * _promptRow > LongSeconds;
    }

    /// <summary>Takes in how long a pass took.</summary>
    /// <param name="decodingRows">How many of its rows decoded.</param>
    /// <param name="promptRows">How many of its rows belonged to prompts.</param>
    /// <param name="seconds">The time from its beginning to its logits, without what guides took.</param>
    /// <param name="paid">What the pass pays of the time that guides took.</param>
    public void Learn(int decodingRows, int promptRows, double seconds, double paid = 0)
    {
        double alone = Seconds(decodingRows);
        _rowsBeforeLone = Math.Max(0, _rowsBeforeLone - promptRows);
        // Nobody is held up where nobody decodes, and nothing is known before a pass of decoding rows alone.
        _overdrawn = alone == 0 ? 0 : Math.Max(0, _overdrawn + seconds + paid - Allowed(alone));
        if (promptRows == 0)
        {
            while (_decoding.Count <= decodingRows)
                _decoding.Add(0);
            double mean = Mean(_decoding[decodingRows], seconds);
            if (_decoding[decodingRows] > 0)
                Scale(Math.Sqrt(mean / _decoding[decodingRows]));
            _decoding[decodingRows] = mean;
        }
        else
        {
            // What few rows of a forced run take is lost in what the pass takes without them.
            double own = (seconds - alone) / promptRows;
            if (own > 0 && (promptRows >= FewestRows || _promptRow == 0))
                _promptRow = Mean(_promptRow, own);
            if (own > 0 && promptRows >= ChunkRows)
                _leastRow = _leastRow == 0 ? own : Math.Min(_leastRow, own);
        }
    }

    // Half of a surprise is laid to the machine, whose speed changes from minute to minute. Else numbers of rows that
    // were measured in a slow minute would look slow for ever, since nobody tries them again.
    private void Scale(double factor)
    {
        foreach (ref double seconds in CollectionsMarshal.AsSpan(_decoding))
            seconds *= factor;
    }

    /// <summary>
    /// How long a pass of decoding rows takes, as far as is known; 0 before anything was measured. A number of rows
    /// that was never measured lies on the line between its neighbours, none takes longer than the next larger one.
    /// </summary>
    /// <param name="decodingRows">How many rows decode.</param>
    public double Seconds(int decodingRows)
    {
        int fewer = Math.Min(decodingRows, _decoding.Count - 1),
            more = decodingRows + 1;
        while (fewer > 0 && _decoding[fewer] == 0)
            fewer--;
        while (more < _decoding.Count && _decoding[more] == 0)
            more++;
        double least = _decoding[fewer];
        if (least == 0 || more >= _decoding.Count)
            return least;
        double most = _decoding[more];
        return most <= least ? most : least + (most - least) * (decodingRows - fewer) / (more - fewer);
    }

    private static double Mean(double before, double now) => before == 0 ? now : before + Weight * (now - before);
}
