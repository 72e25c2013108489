using System.Text;
using GptOss.Constraints;
using GptOss.Tokenization;

namespace GptOss.Tests.Constraints;

public sealed class VocabularyMasksTests
{
    private static readonly Tokenizer O200k = Tokenizer.O200kHarmony;
    private static readonly VocabularyMasks Masks = VocabularyMasks.Of(O200k);

    [Fact]
    public void Every_token_but_the_special_ones_is_in_one_of_the_tries_with_its_bytes()
    {
        var found = new HashSet<int>();
        foreach (TokenTrie trie in (TokenTrie[])[Masks.Plain, Masks.Rest])
        {
            var text = new List<byte>();
            for (int node = 0; node < trie.Count; node++)
            {
                text.RemoveRange(trie.Depths[node] - 1, text.Count - trie.Depths[node] + 1);
                text.Add(trie.Labels[node]);
                if (trie.Tokens[node] is not (var token and >= 0))
                    continue;
                Assert.True(found.Add(token));
                Assert.True(O200k.Bytes[token].SequenceEqual(text.ToArray()));
            }
        }
        Assert.Equal(
            Enumerable.Range(0, O200k.VocabularySize).Where(id => !O200k.IsSpecial(id) && O200k.Bytes[id].Length > 0),
            found.Order()
        );
        Assert.Equal(found.Count, Enumerable.Range(0, Masks.Size).Count(id => IsSet(Masks.All, id)));
    }

    [Fact]
    public void A_skip_leads_to_the_next_text_that_does_not_begin_so()
    {
        foreach (TokenTrie trie in (TokenTrie[])[Masks.Plain, Masks.Rest])
            for (int node = 0; node < trie.Count; node++)
            {
                int end = trie.Skips[node];
                Assert.True(end == trie.Count || trie.Depths[end] <= trie.Depths[node]);
                for (int below = node + 1; below < end && below < node + 50; below++)
                    Assert.True(trie.Depths[below] > trie.Depths[node]);
            }
    }

    [Fact]
    public void A_reach_is_the_length_of_the_longest_token_below()
    {
        foreach (TokenTrie trie in (TokenTrie[])[Masks.Plain, Masks.Rest])
        {
            var reaches = new int[trie.Count];
            for (int node = trie.Count - 1; node >= 0; node--)
            for (int below = node + 1; below < trie.Skips[node]; below = trie.Skips[below])
                reaches[node] = Math.Max(reaches[node], 1 + reaches[below]);
            Assert.Equal(reaches, trie.Reaches.Select(reach => (int)reach));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(128)] // the longest of all
    [InlineData(int.MaxValue)]
    public void Plain_tokens_are_known_by_their_number_of_characters(int most)
    {
        ReadOnlySpan<ulong> bits = Masks.PlainUpTo(most);
        var strict = new UTF8Encoding(false, throwOnInvalidBytes: true);
        for (int id = 0; id < O200k.VocabularySize; id++)
            Assert.Equal(!O200k.IsSpecial(id) && IsPlain(O200k.Bytes[id], strict, most), IsSet(bits, id));
    }

    private static bool IsPlain(ReadOnlySpan<byte> bytes, UTF8Encoding strict, int most)
    {
        try
        {
            string text = strict.GetString(bytes);
            return text.Length > 0
                && text.All(letter => letter is >= ' ' and not ('"' or '\\' or '\u2028' or '\u2029'))
                && text.EnumerateRunes().Count() <= most;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }

    private static bool IsSet(ReadOnlySpan<ulong> bits, int id) => (bits[id / 64] >> (id % 64) & 1) != 0;
}
