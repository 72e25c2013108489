using System.Buffers;
using System.Text;

namespace GptOss.Constraints.Regular;

/// <summary>
/// A deterministic automaton over Unicode scalar values: a regular language. Immutable. Every state is reached from
/// the start and reaches an accepting state, so the empty language has no state at all.
/// </summary>
/// <param name="edges">The edges of state 0, then those of state 1 and so on, each sorted and disjoint.</param>
/// <param name="ends">Where the edges of each state end.</param>
/// <param name="accepting">Whether a text may end in each state.</param>
internal sealed class CodePointDfa(DfaEdge[] edges, int[] ends, bool[] accepting) : DfaStates(edges, ends, accepting)
{
    /// <summary>The state in which every text begins.</summary>
    public const int Start = 0;

    /// <summary>What <see cref="Next"/> gives where no text goes on.</summary>
    public const int Dead = -1;

    private DfaMeasures? _measures;

    /// <summary>The language without any text.</summary>
    public static CodePointDfa Nothing { get; } = new([], [], []);

    /// <summary>The language of all texts, the empty one among them.</summary>
    public static CodePointDfa AnyText { get; } = Repeated(CodePointSet.All);

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

    /// <summary>The language of all texts, however long, of code points of a set.</summary>
    public static CodePointDfa Repeated(CodePointSet set) =>
        new([.. set.Ranges.Select(range => new DfaEdge(range.First, range.Last, Start))], [set.Ranges.Length], [true]);

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
}
