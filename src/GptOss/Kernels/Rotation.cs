namespace GptOss.Kernels;

/// <summary>
/// Rotary position embedding: turns the query or key heads of one token by angles that depend on its position. In each
/// head the pair of values i and i + headDim/2 becomes <c>(a·cos − b·sin, b·cos + a·sin)</c>.
/// </summary>
internal static class Rotation
{
    /// <summary>Rotates all heads of one token in place.</summary>
    /// <param name="heads">The heads of the token, [heads × headDim].</param>
    /// <param name="angles">headDim / 2 cosines of the token's position, then headDim / 2 sines, [headDim].</param>
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
