namespace GptOss.Checkpoint;

/// <summary>Where weights lie, and what can give their memory back when they were read for the last time.</summary>
internal interface IWeightStore
{
    /// <summary>
    /// Opens weights of this store to be read for the last time. When the reading is closed, the store may give their
    /// memory back.
    /// </summary>
    /// <param name="data">The address of the first byte in the store.</param>
    /// <param name="bytes">How many bytes are read.</param>
    // Bound: whoever reads takes no more bytes than it asked for.
    unsafe ILastReading ReadLast(byte* data, long bytes);
}

/// <summary>Weights that can be read until this is disposed.</summary>
internal interface ILastReading : IDisposable
{
    /// <summary>The address of the first byte, which may differ from its address in the store.</summary>
    // Bound: the bytes that ReadLast was asked for.
    unsafe byte* Data { get; }
}
