using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>The first step: a token's row of the embedding table, widened.</summary>
internal static class Embedding
{
    /// <param name="embedding">[vocab, hidden] bfloat16.</param>
    /// <param name="tokens">[rows], each within the vocabulary.</param>
    /// <param name="x">[rows, hidden].</param>
    public static unsafe Rows Gather(Matrix embedding, ReadOnlySpan<int> tokens, Rows x)
    {
        int hidden = embedding.Columns;
        for (int row = 0; row < tokens.Length; row++)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)tokens[row], (uint)embedding.Rows);
            BFloat16.Widen(new ReadOnlySpan<ushort>((ushort*)embedding.Data + (long)tokens[row] * hidden, hidden), x[row]);
        }
        return x;
    }
}
