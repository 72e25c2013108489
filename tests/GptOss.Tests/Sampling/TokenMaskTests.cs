using GptOss.Sampling;

namespace GptOss.Tests.Sampling;

public sealed class TokenMaskTests
{
    [Theory]
    [InlineData(0, 5_000, "Allowed")]
    [InlineData(150, 5_000, "Allowed")] // two ids are as large as one word
    [InlineData(2_500, 5_000, "Bits")]
    [InlineData(4_900, 5_000, "Forbidden")]
    [InlineData(5_000, 5_000, "Forbidden")]
    [InlineData(2_000, 201_088, "Allowed")]
    [InlineData(2_001, 201_088, "Bits")]
    [InlineData(199_088, 201_088, "Forbidden")]
    public void A_mask_is_held_in_its_smallest_form(int allowed, int vocabularySize, string form)
    {
        ulong[] bits = Random(allowed, vocabularySize);

        var mask = TokenMask.Of(bits, vocabularySize);

        Assert.Equal(form, mask.Form.ToString());
        Assert.Equal(allowed, mask.Count);
        Assert.True(mask.Bytes <= 64 + bits.Length * 8);
    }

    [Theory]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)] // the last word has one token
    public void Every_form_allows_the_same_tokens(int vocabularySize)
    {
        ulong[] bits = Random(vocabularySize / 2, vocabularySize);
        var mask = TokenMask.Of(bits, vocabularySize);

        foreach (TokenMaskForm form in Enum.GetValues<TokenMaskForm>())
        {
            TokenMask other = mask.As(form);
            Assert.Equal(form, other.Form);
            Assert.Equal(mask.Count, other.Count);
            for (int id = 0; id < vocabularySize; id++)
                Assert.Equal((bits[id / 64] >> (id % 64) & 1) != 0, other.Allows(id));
            ulong[] some = Random(vocabularySize / 3, vocabularySize);
            ulong[] both = [.. some];
            other.AddTo(both);
            Assert.Equal(some.Zip(bits, (a, b) => a | b), both);
            Assert.False(other.Allows(-1));
            Assert.False(other.Allows(vocabularySize));
        }
    }

    private static ulong[] Random(int allowed, int vocabularySize)
    {
        int[] ids = [.. Enumerable.Range(0, vocabularySize)];
        new Random(allowed).Shuffle(ids);
        var bits = new ulong[TokenMask.Words(vocabularySize)];
        foreach (int id in ids.AsSpan(0, allowed))
            bits[id / 64] |= 1UL << (id % 64);
        return bits;
    }
}
