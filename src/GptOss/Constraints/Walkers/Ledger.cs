namespace GptOss.Constraints.Walkers;

/// <summary>Numbers what a grammar makes while it is used, and counts the bytes of it that can be made again.</summary>
internal sealed class Ledger
{
    private int _last = 2; // 1 and 2 belong to the tries without a table

    /// <summary>About how many bytes have been made since the last <see cref="Clear"/>.</summary>
    public long Bytes { get; private set; }

    /// <summary>About how many bytes the grammar was compiled to, which are kept as long as it is.</summary>
    public long CompiledBytes { get; private set; }

    /// <summary>A number that no other thing of the grammar has.</summary>
    public int NextId() => ++_last;

    /// <summary>Counts bytes that were made.</summary>
    public void Take(long bytes) => Bytes += bytes;

    /// <summary>Counts bytes of what the grammar was compiled to.</summary>
    public void Keep(long bytes) => CompiledBytes += bytes;

    /// <summary>All that was counted has been forgotten.</summary>
    public void Clear() => Bytes = 0;
}
