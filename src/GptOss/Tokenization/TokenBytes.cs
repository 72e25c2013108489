namespace GptOss.Tokenization;

/// <summary>The bytes of every token of a vocabulary: id → bytes, all in one array.</summary>
/// <remarks>
/// A special token stands for the UTF-8 bytes of its name. An id below <see cref="Count"/> that the vocabulary leaves
/// unused (padding of the embedding matrix) has no bytes. Immutable.
/// </remarks>
internal sealed class TokenBytes
{
    private readonly byte[] _bytes;
    private readonly int[] _ends;

    private TokenBytes(byte[] bytes, int[] ends)
    {
        _bytes = bytes;
        _ends = ends;
        Longest = 1;
        for (int id = 0, start = 0; id < ends.Length; start = ends[id++])
            Longest = Math.Max(Longest, ends[id] - start);
    }

    /// <summary>Ids run from 0 to <c>Count - 1</c>: the model's <c>vocab_size</c>.</summary>
    public int Count => _ends.Length;

    /// <summary>
    /// The bytes of the longest token, at least 1: a text of n bytes has at least n ÷ Longest tokens.
    /// </summary>
    public int Longest { get; }

    /// <exception cref="ArgumentOutOfRangeException">
    /// The id is not in the vocabulary; the message names both.
    /// </exception>
    public ReadOnlySpan<byte> this[int id]
    {
        get
        {
            if ((uint)id >= (uint)_ends.Length)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(id),
                    id,
                    $"Token {id} is not in the vocabulary, whose {_ends.Length} tokens are numbered from 0."
                );
            }
            int start = id == 0 ? 0 : _ends[id - 1];
            return _bytes.AsSpan(start, _ends[id] - start);
        }
    }

    /// <summary>Collects the tokens in the order of their ids.</summary>
    internal sealed class Builder(int count, int bytesExpected)
    {
        private readonly int[] _ends = new int[count];
        private byte[] _bytes = new byte[bytesExpected];
        private int _length;
        private int _added;

        /// <summary>
        /// Room for the next token's bytes, of which <see cref="Advance"/> says how many were written.
        /// </summary>
        public Span<byte> Room(int bytes)
        {
            if (_bytes.Length - _length < bytes)
            {
                int doubled = (int)Math.Min(2L * _bytes.Length, Array.MaxLength);
                Array.Resize(ref _bytes, Math.Max(checked(_length + bytes), doubled));
            }
            return _bytes.AsSpan(_length);
        }

        public void Advance(int bytes)
        {
            _length += bytes;
            _ends[_added++] = _length;
        }

        public void Add(ReadOnlySpan<byte> token)
        {
            token.CopyTo(Room(token.Length));
            Advance(token.Length);
        }

        /// <summary>The table; ids that were not added have no bytes.</summary>
        public TokenBytes Build()
        {
            _ends.AsSpan(_added).Fill(_length);
            return new TokenBytes(_bytes, _ends);
        }
    }
}
