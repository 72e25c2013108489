namespace GptOss.Checkpoint;

/// <summary>Where weights lie, and what can give their memory back when they were read for the last time.</summary>
internal interface IWeightStore
{
    /// <summary>
    /// Opens weights of this store to be read once more. Once that is closed they need not be there any longer.
    /// </summary>
    /// <param name="data">The first byte, where the store has it.</param>
    /// <param name="bytes">How many.</param>
    unsafe ILastReading ReadLast(byte* data, long bytes);
}

/// <summary>Weights that can be read until this is disposed.</summary>
internal interface ILastReading : IDisposable
{
    /// <summary>The first byte; not always where the store had it.</summary>
    unsafe byte* Data { get; }
}
