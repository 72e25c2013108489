namespace GptOss.Kernels;

/// <summary>
/// Rotary position embedding of a row of heads: <c>(a, b) → (a·cos − b·sin, b·cos + a·sin)</c> for pairs (i, i +
/// headDim/2).
/// </summary>
internal static class Rotation
{
    /// <param name="heads">[heads × headDim], rotated in place.</param>
    /// <param name="angles">[headDim]: the cosines of the row's position, then the sines, each headDim / 2.</param>
    public static void Row(Span<float> heads, ReadOnlySpan<float> angles)
    {
        int headDim = angles.Length,
            half = headDim / 2;
        ReadOnlySpan<float> cos = angles[..half],
            sin = angles[half..];
        for (int head = 0; head < heads.Length; head += headDim)
        {
            Span<float> a = heads.Slice(head, half),
                b = heads.Slice(head + half, half);
            for (int i = 0; i < half; i++)
                (a[i], b[i]) = (a[i] * cos[i] - b[i] * sin[i], b[i] * cos[i] + a[i] * sin[i]);
        }
    }
}
