using System.Runtime.InteropServices;
using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>Which rows of a run get logits.</summary>
internal enum Wanted
{
    /// <summary>No row: more of the prompt follows in another pass.</summary>
    None,

    /// <summary>The last row alone: what is needed to choose the next token.</summary>
    Last,

    /// <summary>Every row of the run.</summary>
    All,
}

/// <summary>
/// A run: consecutive rows of a batch that belong to one sequence, at positions <see cref="Start"/> and following.
/// </summary>
/// <param name="Sequence">The sequence that the rows continue.</param>
/// <param name="Start">Position of the first row in the sequence.</param>
/// <param name="FirstRow">Index of the first row in the batch.</param>
/// <param name="Count">Number of rows, at least one.</param>
internal readonly record struct RowRun(KvSequence Sequence, int Start, int FirstRow, int Count);

/// <summary>
/// A query block: at most <see cref="MostRows"/> consecutive rows of one run that attend together.
/// </summary>
/// <param name="Run">The run that the rows belong to.</param>
/// <param name="First">Index of the block's first row within the run.</param>
/// <param name="Count">Number of rows in the block.</param>
internal readonly record struct QueryBlock(RowRun Run, int First, int Count)
{
    /// <summary>As many rows of a sequence as meet a page of keys while it is in the first-level cache.</summary>
    public const int MostRows = 16;
}

/// <summary>The rows of one forward pass: each is one token of one sequence at one position.</summary>
/// <remarks>
/// Any mix of prefill chunks (many rows of a sequence) and decode tokens (one row). Reused from pass to pass.
/// </remarks>
internal sealed class Batch
{
    private readonly List<int> _tokens = [];
    private readonly List<int> _positions = [];
    private readonly List<int> _wanted = [];
    private readonly List<RowRun> _runs = [];
    private readonly List<QueryBlock> _queryBlocks = [];
    private readonly List<int> _kept = [];

    public int Count => _tokens.Count;
    public ReadOnlySpan<int> Tokens => CollectionsMarshal.AsSpan(_tokens);
    public ReadOnlySpan<int> Positions => CollectionsMarshal.AsSpan(_positions);
    public ReadOnlySpan<RowRun> Runs => CollectionsMarshal.AsSpan(_runs);

    /// <summary>
    /// The rows in pieces of at most <see cref="QueryBlock.MostRows"/>: what one worker attends to at a time.
    /// </summary>
    public ReadOnlySpan<QueryBlock> QueryBlocks => CollectionsMarshal.AsSpan(_queryBlocks);

    /// <summary>Adds tokens that follow what the sequence holds. A sequence may occur once in a batch.</summary>
    public void Add(KvSequence sequence, ReadOnlySpan<int> tokens, Wanted wanted)
    {
        int firstRow = Count;
        Add(sequence, tokens, []);
        for (
            int row = wanted switch
            {
                Wanted.All => firstRow,
                Wanted.Last => Count - 1,
                _ => Count,
            };
            row < Count;
            row++
        )
            _wanted.Add(row);
    }

    /// <summary>
    /// Adds tokens that follow what the sequence holds, with logits for the tokens at the given indices, ascending.
    /// </summary>
    public void Add(KvSequence sequence, ReadOnlySpan<int> tokens, ReadOnlySpan<int> wanted)
    {
        foreach (RowRun other in _runs)
            if (ReferenceEquals(other.Sequence, sequence))
                throw new ArgumentException(
                    "The sequence is in the batch already; its two pieces would take the same positions.",
                    nameof(sequence)
                );
        sequence.Reserve(sequence.Length + tokens.Length);
        foreach (int place in wanted)
            _wanted.Add(Count + place);
        var run = new RowRun(sequence, sequence.Length, Count, tokens.Length);
        _runs.Add(run);
        _kept.Add(run.Count);
        for (int first = 0; first < tokens.Length; first += QueryBlock.MostRows)
            _queryBlocks.Add(new QueryBlock(run, first, Math.Min(QueryBlock.MostRows, tokens.Length - first)));
        for (int i = 0; i < tokens.Length; i++)
        {
            _tokens.Add(tokens[i]);
            _positions.Add(run.Start + i);
        }
    }

    /// <summary>
    /// Says that only the first rows of a run count, because the tokens behind them were guesses that proved wrong.
    /// </summary>
    /// <param name="run">Index of the run in <see cref="Runs"/>.</param>
    /// <param name="rows">How many of its rows count, at least one.</param>
    public void Keep(int run, int rows) => _kept[run] = rows;

    /// <summary>
    /// After a forward pass has returned: the sequences now hold the positions of the rows that count, and the batch is
    /// empty.
    /// </summary>
    public void Advance()
    {
        for (int run = 0; run < _runs.Count; run++)
            _runs[run].Sequence.Advance(_kept[run]);
        Clear();
    }

    public void Clear()
    {
        _tokens.Clear();
        _positions.Clear();
        _wanted.Clear();
        _runs.Clear();
        _kept.Clear();
        _queryBlocks.Clear();
    }

    /// <summary>The rows of x that want logits, copied side by side.</summary>
    public Rows RowsThatWantLogits(Rows x, Workspace ws)
    {
        Rows last = ws.Last(_wanted.Count);
        for (int i = 0; i < _wanted.Count; i++)
            x[_wanted[i]].CopyTo(last[i]);
        return last;
    }
}
