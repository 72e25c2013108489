using System.Buffers.Binary;
using GptOss.Tokenization;

namespace GptOss.Constraints;

/// <summary>
/// Tokens as a trie over their bytes, laid out depth first: a walk goes through the arrays from the front to the back,
/// and where a byte is refused it jumps over all that begin so.
/// </summary>
internal sealed class TokenTrie
{
    /// <param name="tokens">The ids of the tokens; none is empty, and no two have the same bytes.</param>
    /// <param name="bytes">The bytes of each id.</param>
    public TokenTrie(int[] tokens, TokenBytes bytes)
    {
        Sort(tokens, bytes);
        int nodes = 0;
        ReadOnlySpan<byte> before = default;
        foreach (int token in tokens)
        {
            ReadOnlySpan<byte> text = bytes[token];
            nodes += text.Length - before.CommonPrefixLength(text);
            before = text;
        }
        (Labels, Depths) = (new byte[nodes], new ushort[nodes]);
        (Skips, Tokens, Reaches) = (new int[nodes], new int[nodes], new ushort[nodes]);
        Fill(tokens, bytes);
    }

    /// <summary>The number of nodes.</summary>
    public int Count => Labels.Length;

    /// <summary>Of each node: the last byte of the text that it stands for.</summary>
    public byte[] Labels { get; }

    /// <summary>Of each node: the number of bytes of that text, at least 1.</summary>
    public ushort[] Depths { get; }

    /// <summary>Of each node: the next node whose text does not begin with that text.</summary>
    public int[] Skips { get; }

    /// <summary>Of each node: the token that is that text, or -1.</summary>
    public int[] Tokens { get; }

    /// <summary>Of each node: how many bytes the longest token that begins with its text has behind it.</summary>
    public ushort[] Reaches { get; }

    /// <summary>Sets the bits of the tokens of some nodes.</summary>
    /// <param name="bits">A bit for each id.</param>
    /// <param name="node">The first of the nodes.</param>
    /// <param name="end">The node behind the last one.</param>
    public void AddAll(ulong[] bits, int node, int end)
    {
        foreach (int token in Tokens.AsSpan(node, end - node))
            if (token >= 0)
                bits[token >> 6] |= 1UL << token;
    }

    private void Fill(int[] tokens, TokenBytes bytes)
    {
        var open = new List<int>(); // the nodes of the text before, by depth
        ReadOnlySpan<byte> before = default;
        int node = 0;
        foreach (int token in tokens)
        {
            ReadOnlySpan<byte> text = bytes[token];
            int common = before.CommonPrefixLength(text);
            Close(open, common, node);
            for (int depth = common; depth < text.Length; depth++, node++)
            {
                open.Add(node);
                (Labels[node], Depths[node], Tokens[node]) = (text[depth], (ushort)(depth + 1), -1);
            }
            Tokens[open[^1]] = token;
            before = text;
        }
        Close(open, 0, node);
    }

    private void Close(List<int> open, int depth, int next)
    {
        for (int i = open.Count - 1; i >= depth; i--)
        {
            Skips[open[i]] = next;
            if (i > 0)
                Reaches[open[i - 1]] = Math.Max(Reaches[open[i - 1]], (ushort)(Reaches[open[i]] + 1));
        }
        open.RemoveRange(depth, open.Count - depth);
    }

    // By their first eight bytes as a number, and those that are equal in them by the rest.
    private static void Sort(int[] tokens, TokenBytes bytes)
    {
        var keys = new ulong[tokens.Length];
        Span<byte> first = stackalloc byte[8];
        for (int i = 0; i < tokens.Length; i++)
        {
            ReadOnlySpan<byte> text = bytes[tokens[i]];
            first.Clear();
            text[..Math.Min(8, text.Length)].CopyTo(first);
            keys[i] = BinaryPrimitives.ReadUInt64BigEndian(first);
        }
        Array.Sort(keys, tokens);
        for (int start = 0, end; start < tokens.Length; start = end)
        {
            for (end = start + 1; end < tokens.Length && keys[end] == keys[start]; )
                end++;
            if (end - start > 1)
                tokens.AsSpan(start, end - start).Sort((a, b) => bytes[a].SequenceCompareTo(bytes[b]));
        }
    }
}
