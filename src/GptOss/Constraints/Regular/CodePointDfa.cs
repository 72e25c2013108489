using System.Buffers;
using System.Text;

namespace GptOss.Constraints.Regular;

/// <summary>
/// A deterministic automaton over Unicode scalar values: a regular language. Immutable. Every state is reached from
/// the start and reaches an accepting state, so the empty language has no state at all.
/// </summary>
/// <remarks>
/// The operations give the smallest automaton of their language, unless it is large (<see cref="Minimizer"/>): fewer
/// states are fewer states of a machine, and fewer masks.
/// </remarks>
internal sealed class CodePointDfa
{
    /// <summary>The state in which every text begins.</summary>
    public const int Start = 0;

    /// <summary>What <see cref="Next"/> gives where no text goes on.</summary>
    public const int Dead = -1;

    private readonly DfaEdge[] _edges;
    private readonly int[] _ends;
    private readonly bool[] _accepting;
    private DfaMeasures? _measures;

    /// <param name="edges">The edges of state 0, then those of state 1 and so on, each sorted and disjoint.</param>
    /// <param name="ends">Where the edges of each state end.</param>
    /// <param name="accepting">Whether a text may end in each state.</param>
    internal CodePointDfa(DfaEdge[] edges, int[] ends, bool[] accepting) =>
        (_edges, _ends, _accepting) = (edges, ends, accepting);

    /// <summary>The language without any text.</summary>
    public static CodePointDfa Nothing { get; } = new([], [], []);

    /// <summary>The language of all texts, the empty one among them.</summary>
    public static CodePointDfa AnyText { get; } = Repeated(CodePointSet.All);

    /// <summary>Number of states; 0 for the empty language.</summary>
    public int Count => _accepting.Length;

    /// <summary>Number of edges of all states.</summary>
    public int EdgeCount => _edges.Length;

    /// <summary>Whether no text belongs to the language.</summary>
    public bool IsEmpty => Count == 0;

    /// <summary>Lengths, numbers of texts and the like for each state; worked out when first asked for.</summary>
    public DfaMeasures Measures
    {
        get
        {
            // Two threads may both measure; what they find is equal.
            return _measures ??= new(this);
        }
    }

    /// <summary>
    /// The language of a list of texts. A text with a lone surrogate is left out, for UTF-8 cannot spell it.
    /// </summary>
    public static CodePointDfa Of(IEnumerable<string> texts) => TextTrie.Build(texts);

    /// <summary>The language of all texts, however long, of code points of a set.</summary>
    public static CodePointDfa Repeated(CodePointSet set) =>
        new([.. set.Ranges.Select(range => new DfaEdge(range.First, range.Last, Start))], [set.Ranges.Length], [true]);

    /// <summary>Whether a text may end in this state.</summary>
    public bool Accepts(int state) => _accepting[state];

    /// <summary>The edges of a state, sorted by code point, without overlap and without surrogates.</summary>
    public ReadOnlySpan<DfaEdge> Edges(int state)
    {
        int start = state == 0 ? 0 : _ends[state - 1];
        return _edges.AsSpan(start, _ends[state] - start);
    }

    /// <summary>The state behind a code point, or <see cref="Dead"/>.</summary>
    public int Next(int state, int codePoint)
    {
        ReadOnlySpan<DfaEdge> edges = Edges(state);
        int low = 0,
            high = edges.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (edges[middle].Last < codePoint)
                low = middle + 1;
            else
                high = middle;
        }
        return low < edges.Length && edges[low].First <= codePoint ? edges[low].Target : Dead;
    }

    /// <summary>Whether a text belongs to the language. A text with a lone surrogate belongs to none.</summary>
    public bool Accepts(ReadOnlySpan<char> text)
    {
        if (IsEmpty)
            return false;
        int state = Start;
        while (!text.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(text, out Rune rune, out int length) != OperationStatus.Done)
                return false;
            if ((state = Next(state, rune.Value)) == Dead)
                return false;
            text = text[length..];
        }
        return Accepts(state);
    }

    /// <summary>The texts of both languages.</summary>
    public CodePointDfa And(CodePointDfa other, CompileBudget budget) =>
        DfaProduct.Of(this, other, DfaOperation.And, new(budget));

    /// <summary>The texts of either language.</summary>
    public CodePointDfa Or(CodePointDfa other, CompileBudget budget) =>
        DfaProduct.Of(this, other, DfaOperation.Or, new(budget));

    /// <summary>The texts of this language that are not of the other.</summary>
    public CodePointDfa Minus(CodePointDfa other, CompileBudget budget) =>
        DfaProduct.Of(this, other, DfaOperation.Minus, new(budget));

    /// <summary>All texts of scalar values that are not of this language.</summary>
    public CodePointDfa Not(CompileBudget budget) => AnyText.Minus(this, budget);
}

/// <summary>
/// An edge of a <see cref="CodePointDfa"/>: the code points from the first to the last lead to the target.
/// </summary>
internal readonly record struct DfaEdge(int First, int Last, int Target);
