using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>The first step: a token's row of the embedding table, widened.</summary>
internal static class Embedding
{
    /// <param name="embedding">[vocab, hidden], in any format.</param>
    /// <param name="tokens">[rows], each within the vocabulary.</param>
    /// <param name="x">[rows, hidden].</param>
    public static unsafe Rows Gather(Matrix embedding, ReadOnlySpan<int> tokens, Rows x)
    {
        int hidden = embedding.Columns;
        var table = new Numbers(embedding.Data, embedding.Format);
        for (int row = 0; row < tokens.Length; row++)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)tokens[row], (uint)embedding.Rows);
            table.Widen((long)tokens[row] * hidden, x[row]);
        }
        return x;
    }
}
