using GptOss.Checkpoint;

namespace GptOss.Tests.Checkpoint;

public class DTypeTests
{
    [Fact]
    public void Every_type_of_safetensors_is_found_by_its_own_spelling()
    {
        foreach (DType dtype in Enum.GetValues<DType>().Where(dtype => dtype < DType.Q4_0))
        {
            Assert.True(DTypes.TryParse(dtype.Spelling(), out DType found));
            Assert.Equal(dtype, found);
            Assert.Equal($"{dtype}".ToUpperInvariant(), dtype.Spelling().Replace("_", "", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("F4", 4)]
    [InlineData("F6_E3M2", 6)]
    [InlineData("F8_E8M0", 8)]
    [InlineData("BF16", 16)]
    [InlineData("U32", 32)]
    [InlineData("C64", 64)] // two float32
    public void Widths_are_those_of_the_name(string spelling, int bits)
    {
        Assert.True(DTypes.TryParse(spelling, out DType dtype));
        Assert.Equal(bits, dtype.Bits());
    }

    [Theory]
    [InlineData("bf16")]
    [InlineData("BF16 ")]
    [InlineData("")]
    [InlineData("F8E4M3")] // the member's name, not the file's
    [InlineData("Q8_0")] // a type of GGUF, which no safetensors file has
    public void Other_spellings_are_unknown(string spelling) => Assert.False(DTypes.TryParse(spelling, out _));
}
