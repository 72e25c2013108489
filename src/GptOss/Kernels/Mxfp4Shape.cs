namespace GptOss.Kernels;

/// <summary>
/// The check of spans that all multiplications by MXFP4 weights share: blocks, scales, bias and activations must fit
/// each other.
/// </summary>
internal static class Mxfp4Shape
{
    /// <summary>
    /// Returns the number of inputs of the matrix. The bias has one number for each output of the range, the scales
    /// tell the number of blocks for each output, and the outputs must lie within y from <paramref name="first"/> on.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">A length does not fit the other lengths.</exception>
    public static int Inputs(
        ReadOnlySpan<byte> blocks,
        ReadOnlySpan<byte> scales,
        ReadOnlySpan<float> bias,
        Rows x,
        Rows y,
        int first
    )
    {
        int outputs = bias.Length,
            inputBlocks = outputs == 0 ? 0 : scales.Length / outputs;
        ArgumentOutOfRangeException.ThrowIfNotEqual(scales.Length, outputs * inputBlocks);
        ArgumentOutOfRangeException.ThrowIfNotEqual(blocks.Length, scales.Length * Mxfp4.BlockBytes);
        ArgumentOutOfRangeException.ThrowIfNotEqual(y.Count, x.Count);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first + outputs, y.Width);
        return inputBlocks * Mxfp4.BlockValues;
    }
}
