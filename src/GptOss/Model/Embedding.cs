using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>
/// The first step of a forward pass: looks up each token's vector in the embedding table, and widens it to float32.
/// </summary>
internal static class Embedding
{
    /// <param name="embedding">The table, [vocab, hidden], in any format.</param>
    /// <param name="tokens">One id for each row, within the vocabulary.</param>
    /// <param name="x">Takes the vectors, [rows, hidden].</param>
    public static Rows Gather(Matrix embedding, ReadOnlySpan<int> tokens, Rows x)
    {
        for (int row = 0; row < tokens.Length; row++)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)tokens[row], (uint)embedding.Outputs);
            embedding.Widen(tokens[row], x[row]);
        }
        return x;
    }
}
