using System.Runtime.InteropServices;
using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>Which rows of a segment get logits.</summary>
internal enum Wanted
{
    None,
    Last,
    All,
}

/// <summary>
/// Consecutive rows of a batch that belong to one sequence, at positions <see cref="Start"/> and following.
/// </summary>
internal readonly record struct Segment(KvSequence Sequence, int Start, int FirstRow, int Count);

/// <summary>A few consecutive rows of one segment that attend together.</summary>
internal readonly record struct RowBlock(Segment Segment, int First, int Count);

/// <summary>The rows of one forward pass: each is one token of one sequence at one position.</summary>
/// <remarks>
/// Any mix of prefill chunks (many rows of a sequence) and decode tokens (one row). Reused from pass to pass.
/// </remarks>
internal sealed class Batch
{
    private readonly List<int> _tokens = [];
    private readonly List<int> _positions = [];
    private readonly List<int> _wanted = [];
    private readonly List<Segment> _segments = [];
    private readonly List<RowBlock> _blocks = [];

    public int Count => _tokens.Count;
    public ReadOnlySpan<int> Tokens => CollectionsMarshal.AsSpan(_tokens);
    public ReadOnlySpan<int> Positions => CollectionsMarshal.AsSpan(_positions);
    public ReadOnlySpan<Segment> Segments => CollectionsMarshal.AsSpan(_segments);

    /// <summary>
    /// The rows in pieces of at most <see cref="Attention.RowsPerBlock"/>: what one worker attends to at a time.
    /// </summary>
    public ReadOnlySpan<RowBlock> Blocks => CollectionsMarshal.AsSpan(_blocks);

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

    /// <summary>The same, with logits for the given places within the tokens, ascending.</summary>
    public void Add(KvSequence sequence, ReadOnlySpan<int> tokens, ReadOnlySpan<int> wanted)
    {
        foreach (Segment other in _segments)
            if (ReferenceEquals(other.Sequence, sequence))
                throw new ArgumentException(
                    "The sequence is in the batch already; its two pieces would take the same positions.",
                    nameof(sequence)
                );
        foreach (int place in wanted)
            _wanted.Add(Count + place);
        sequence.Reserve(sequence.Length + tokens.Length);
        var segment = new Segment(sequence, sequence.Length, Count, tokens.Length);
        _segments.Add(segment);
        for (int first = 0; first < tokens.Length; first += Attention.RowsPerBlock)
            _blocks.Add(new RowBlock(segment, first, Math.Min(Attention.RowsPerBlock, tokens.Length - first)));
        for (int i = 0; i < tokens.Length; i++)
        {
            _tokens.Add(tokens[i]);
            _positions.Add(segment.Start + i);
        }
    }

    /// <summary>
    /// After a forward pass has returned: the sequences now hold the rows' positions, and the batch is empty.
    /// </summary>
    public void Advance()
    {
        foreach (Segment segment in _segments)
            segment.Sequence.Advance(segment.Count);
        Clear();
    }

    public void Clear()
    {
        _tokens.Clear();
        _positions.Clear();
        _wanted.Clear();
        _segments.Clear();
        _blocks.Clear();
    }

    /// <summary>The rows of x that want logits, gathered.</summary>
    public Rows RowsThatWantLogits(Rows x, Workspace ws)
    {
        Rows last = ws.Last(_wanted.Count);
        for (int i = 0; i < _wanted.Count; i++)
            x[_wanted[i]].CopyTo(last[i]);
        return last;
    }
}
