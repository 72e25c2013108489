using GptOss.Constraints.Walkers;
using GptOss.Sampling;

namespace GptOss.Constraints;

/// <summary>
/// Which plain tokens go on inside a string of a regular language. Plain characters never end the string, so that
/// depends on its register alone, wherever the string stands, and is worked out once.
/// </summary>
internal sealed class PlainTexts(Grammar grammar, VocabularyMasks vocabulary)
{
    // About a megabyte. Registers beyond that are walked without a row.
    private const int MostRows = 1_024;

    private const int Beyond = int.MaxValue;

    private readonly Dictionary<(SpelledText Text, ulong Register), TokenMask> _masks = [];
    private readonly ulong[] _bits = new ulong[TokenMask.Words(vocabulary.Size)];
    private readonly ulong[] _way = new ulong[vocabulary.Bytes.Longest + 1];
    private readonly int[]?[] _rowsOfWay = new int[]?[vocabulary.Bytes.Longest + 1];

    // The rows of one text: registers met are numbered from 1, and of each there is the number behind each byte.
    private readonly Dictionary<ulong, int> _numbers = [];
    private readonly List<ulong> _registers = [];
    private readonly List<int> _survive = [];
    private readonly List<int[]> _rows = [];
    private SpelledText? _text;
    private int _generation;

    /// <summary>The plain tokens that go on.</summary>
    public TokenMask Of(SpelledText text, ulong register)
    {
        if (_generation != grammar.Generation)
        {
            _masks.Clear();
            _rows.Clear();
            _text = null;
            _generation = grammar.Generation;
        }
        if (_masks.TryGetValue((text, register), out TokenMask? mask))
            return mask;
        if (_text != text || _registers.Count == MostRows)
        {
            _text = text;
            _numbers.Clear();
            _registers.Clear();
            _survive.Clear();
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
        ulong[] bits = _bits;
        Enter(Number(text, register), register, 0);
        for (int node = 0; node < labels.Length; )
        {
            int depth = depths[node],
                label = labels[node],
                target = _rowsOfWay[depth - 1] is { } row ? row[label] : Configuration.Unknown;
            ulong next = 0;
            if (target == Configuration.Unknown)
                target = Step(text, depth - 1, label, out next);
            if (target < 0)
            {
                node = skips[node];
                continue;
            }
            int token = tokens[node];
            if (token >= 0)
                bits[token >> 6] |= 1UL << token;
            int end = skips[node++];
            if (end == node)
                continue;
            if (Survives(text, target, next) >= trie.Reaches[node - 1])
            {
                trie.AddAll(bits, node, end);
                node = end;
            }
            else
                Enter(target, next, depth);
        }
    }

    private int Step(SpelledText text, int depth, int label, out ulong next)
    {
        next = text.Step(_way[depth], label);
        int target = next == SpelledText.Dead ? Configuration.Dead : Number(text, next);
        if (target != Beyond && _rowsOfWay[depth] is { } row)
            row[label] = target;
        return target;
    }

    private int Survives(SpelledText text, int number, ulong register) =>
        number == Beyond ? text.Survives(register) : _survive[number - 1];

    private void Enter(int number, ulong register, int depth) =>
        (_rowsOfWay[depth], _way[depth]) =
            number == Beyond ? (null, register) : (_rows[number - 1], _registers[number - 1]);

    // The number of a register, or Beyond where there is no row left for it.
    private int Number(SpelledText text, ulong register)
    {
        if (_numbers.TryGetValue(register, out int number))
            return number;
        if (_registers.Count == MostRows)
            return Beyond;
        _registers.Add(register);
        _survive.Add(text.Survives(register));
        number = _registers.Count;
        _numbers.Add(register, number);
        if (_rows.Count < number)
        {
            _rows.Add(new int[256]);
            grammar.Take(4 * 256 + 24);
        }
        Array.Clear(_rows[number - 1]);
        return number;
    }
}
