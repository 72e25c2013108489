using GptOss.Constraints.Walkers;
using GptOss.Sampling;

namespace GptOss.Constraints;

/// <summary>
/// Which plain tokens go on inside a string of a regular language. Plain characters never end the string, so that
/// depends on its register alone, wherever the string stands, and is worked out once.
/// </summary>
internal sealed class PlainTexts(Grammar grammar, VocabularyMasks vocabulary)
{
    private const int MostRows = 1_024;

    private readonly Dictionary<(SpelledText Text, ulong Register), TokenMask> _masks = [];
    private readonly ulong[] _bits = new ulong[TokenMask.Words(vocabulary.Size)];
    private readonly int[][] _way = new int[vocabulary.Bytes.Longest + 1][];

    // The rows of one text: the registers met are numbered from 1, and of each there is the number behind each byte.
    private readonly Dictionary<ulong, int> _numbers = [];
    private readonly List<ulong> _registers = [];
    private readonly List<int[]> _rows = [];
    private SpelledText? _text;
    private int _generation;

    /// <summary>The plain tokens that go on.</summary>
    public TokenMask Of(SpelledText text, ulong register)
    {
        if (_generation != grammar.Generation)
        {
            _masks.Clear();
            _generation = grammar.Generation;
        }
        if (_masks.TryGetValue((text, register), out TokenMask? mask))
            return mask;
        if (_rows.Count > MostRows)
            _rows.RemoveRange(MostRows, _rows.Count - MostRows);
        if (_text != text || _registers.Count > MostRows)
        {
            _text = text;
            _numbers.Clear();
            _registers.Clear();
        }
        Array.Clear(_bits);
        Walk(text, register);
        mask = TokenMask.Of(_bits, vocabulary.Size);
        _masks.Add((text, register), mask);
        grammar.Take(mask.Bytes + 64);
        return mask;
    }

    private void Walk(SpelledText text, ulong register)
    {
        TokenTrie trie = vocabulary.Plain;
        byte[] labels = trie.Labels;
        ushort[] depths = trie.Depths;
        int[] skips = trie.Skips,
            tokens = trie.Tokens;
        int[][] way = _way;
        ulong[] bits = _bits;
        way[0] = RowOf(Number(register));
        for (int node = 0; node < labels.Length; )
        {
            int depth = depths[node],
                label = labels[node],
                target = way[depth - 1][label];
            if (target == Configuration.Unknown)
                target = Step(text, way[depth - 1], label);
            if (target < 0)
            {
                node = skips[node];
                continue;
            }
            int token = tokens[node];
            if (token >= 0)
                bits[token >> 6] |= 1UL << token;
            if (skips[node] > ++node)
                way[depth] = RowOf(target);
        }
    }

    // The last entry of a row is its own number.
    private int Step(SpelledText text, int[] row, int label)
    {
        ulong next = text.Step(_registers[row[256] - 1], label);
        return row[label] = next == SpelledText.Dead ? Configuration.Dead : Number(next);
    }

    private int Number(ulong register)
    {
        if (_numbers.TryGetValue(register, out int number))
            return number;
        _registers.Add(register);
        number = _registers.Count;
        _numbers.Add(register, number);
        if (_rows.Count < number)
            _rows.Add(new int[257]);
        int[] row = _rows[number - 1];
        Array.Clear(row);
        row[256] = number;
        return number;
    }

    private int[] RowOf(int number) => _rows[number - 1];
}
