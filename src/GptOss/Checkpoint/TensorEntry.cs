namespace GptOss.Checkpoint;

/// <summary>
/// Where a tensor lies in its file: bytes <c>[Begin, Begin + ByteLength)</c>, which hold <c>Count</c> values of type
/// <c>DType</c>.
/// </summary>
internal sealed record TensorEntry(string Name, DType DType, long[] Shape, long Count, long Begin, long ByteLength);
