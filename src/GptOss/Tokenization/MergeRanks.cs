namespace GptOss.Tokenization;

/// <summary>Which neighbouring tokens merge, and in which order: the lowest rank first.</summary>
internal abstract class MergeRanks
{
    /// <summary>The rank of a pair that does not merge.</summary>
    public const int Never = int.MaxValue;

    /// <summary>
    /// The rank of merging <paramref name="left"/> and <paramref name="right"/>, whose bytes together are <paramref
    /// name="joined"/>.
    /// </summary>
    public abstract int Rank(ReadOnlySpan<byte> joined, int left, int right);

    /// <summary>The token that the merge of this rank makes.</summary>
    public abstract int Token(int rank);
}

/// <summary>tiktoken's rule: two tokens merge if a token has their bytes, and its id is the rank.</summary>
internal sealed class RanksByBytes(TokenIndex index) : MergeRanks
{
    public override int Rank(ReadOnlySpan<byte> joined, int left, int right) =>
        index.Find(joined) is >= 0 and int id ? id : Never;

    public override int Token(int rank) => rank;
}

/// <summary>
/// Hugging Face's rule: two tokens merge if the list of merges holds this pair, and its place there is the rank.
/// </summary>
internal sealed class RanksByPair(Dictionary<(int Left, int Right), int> ranks, int[] tokens) : MergeRanks
{
    public override int Rank(ReadOnlySpan<byte> joined, int left, int right) =>
        ranks.TryGetValue((left, right), out int rank) ? rank : Never;

    public override int Token(int rank) => tokens[rank];
}
