using System.Text;

namespace GptOss.Tokenization;

/// <summary>
/// Text → token ids: pieces of text, their UTF-8 bytes, merged pairs. Special tokens are unknown here, so text cannot
/// become one.
/// </summary>
/// <remarks>
/// A lone surrogate is encoded as U+FFFD. <paramref name="whole"/>, where given, finds a piece that is one token
/// without merging, as tiktoken does. n log n in the length of the text. Immutable and thread-safe.
/// </remarks>
internal sealed class BytePairEncoder(TextSplitter splitter, MergeRanks merges, int[] byteTokens, TokenIndex? whole)
{
    public List<int> Encode(string text) => EncodeCancellable(text, CancellationToken.None);

    /// <exception cref="OperationCanceledException">The encoding was cancelled, also within a piece.</exception>
    public List<int> EncodeCancellable(string text, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var ids = new List<int>(text.Length / 4 + 4);
        var merger = new ByteMerger(merges, byteTokens, cancellation);
        byte[] buffer = new byte[256];
        foreach (ReadOnlySpan<char> piece in splitter.Split(text))
        {
            cancellation.ThrowIfCancellationRequested();
            if (buffer.Length / 3 < piece.Length && buffer.Length < Encoding.UTF8.GetByteCount(piece))
                buffer = new byte[Encoding.UTF8.GetByteCount(piece)];
            ReadOnlySpan<byte> bytes = buffer.AsSpan(0, Encoding.UTF8.GetBytes(piece, buffer));
            if (whole?.Find(bytes) is >= 0 and int id)
                ids.Add(id);
            else
                merger.Encode(bytes, ids);
        }
        return ids;
    }
}
