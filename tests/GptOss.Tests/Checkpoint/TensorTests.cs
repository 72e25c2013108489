using GptOss.Checkpoint;

namespace GptOss.Tests.Checkpoint;

public unsafe class TensorTests
{
    private static readonly Tensor Sinks = new(
        "folder/x.safetensors",
        new TensorEntry("layers.3.sinks", DType.BF16, [2, 16], 32, 8, 64),
        null
    );

    [Fact]
    public void The_expected_type_and_shape_give_the_tensor_back() =>
        Assert.Equal("layers.3.sinks", Sinks.Expect(DType.BF16, 2, 16).Name);

    [Theory]
    [InlineData("F32", new long[] { 2, 16 }, "should be F32 [2, 16] but is BF16 [2, 16]")]
    [InlineData("BF16", new long[] { 16, 2 }, "should be BF16 [16, 2] but is BF16 [2, 16]")]
    [InlineData("BF16", new long[] { 32 }, "should be BF16 [32] but is BF16 [2, 16]")] // equal counts
    [InlineData("F8_E4M3", new long[] { }, "should be F8_E4M3 [] but is BF16 [2, 16]")]
    public void Another_type_or_shape_is_refused_by_name(string spelling, long[] shape, string words)
    {
        Assert.True(DTypes.TryParse(spelling, out DType dtype));

        var e = Assert.Throws<CheckpointException>(() => Sinks.Expect(dtype, shape));

        Assert.Equal($"folder/x.safetensors: tensor 'layers.3.sinks' {words}.", e.Message);
        Assert.Equal(("folder/x.safetensors", "layers.3.sinks"), (e.FilePath, e.TensorName));
    }

    [Fact]
    public void A_shape_of_many_dimensions_is_described_in_few_words() =>
        Assert.Equal(
            "U8 [1, 1, 1, 1, 1, 1, 1, 1, … 100000 dimensions]",
            Tensor.Describe(DType.U8, Enumerable.Repeat(1L, 100_000).ToArray())
        );
}
