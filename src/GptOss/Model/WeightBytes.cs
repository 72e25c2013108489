namespace GptOss.Model;

/// <summary>What weights take of the memory.</summary>
/// <param name="Mapped">Bytes that every pass reads where the files are mapped. They lie in the page cache, which the
/// system counts as free.</param>
/// <param name="Copied">Bytes of memory that was taken for weights, such as the copies of
/// <see cref="Precision.Fast"/>. The system counts them no longer as free, but a limit does not know of them.</param>
internal readonly record struct WeightBytes(long Mapped, long Copied);
