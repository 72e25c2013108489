namespace GptOss.Kernels;

/// <summary>What every multiplication of MXFP4 rows checks of its spans.</summary>
internal static class Mxfp4Shape
{
    /// <summary>
    /// The inputs of the rows, one for each bias, whose blocks and scales must fit each other, and their place in y.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">A length is not what the others make it.</exception>
    public static int Inputs(
        ReadOnlySpan<byte> blocks,
        ReadOnlySpan<byte> scales,
        ReadOnlySpan<float> bias,
        Rows x,
        Rows y,
        int first
    )
    {
        int rows = bias.Length,
            inputBlocks = rows == 0 ? 0 : scales.Length / rows;
        ArgumentOutOfRangeException.ThrowIfNotEqual(scales.Length, rows * inputBlocks);
        ArgumentOutOfRangeException.ThrowIfNotEqual(blocks.Length, scales.Length * Mxfp4.BlockBytes);
        ArgumentOutOfRangeException.ThrowIfNotEqual(y.Count, x.Count);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first + rows, y.Width);
        return inputBlocks * Mxfp4.BlockValues;
    }
}
