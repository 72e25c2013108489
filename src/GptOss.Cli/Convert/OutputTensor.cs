namespace GptOss.Cli.Convert;

/// <summary>A tensor that is to be written: its values are computed when its turn comes.</summary>
/// <param name="Name">The name in the layout of Hugging Face.</param>
/// <param name="DType">The type as the file spells it.</param>
/// <param name="Shape">Its dimensions, the outermost first.</param>
/// <param name="Bytes">Number of bytes that will be written.</param>
/// <param name="Write">Writes all of them; asked once, in the order of the files.</param>
internal sealed record OutputTensor(
    string Name,
    string DType,
    long[] Shape,
    long Bytes,
    Action<Stream, CancellationToken> Write
)
{
    /// <summary>A tensor of bfloat16 numbers.</summary>
    public static OutputTensor BFloat16(string name, long[] shape, Action<Stream, CancellationToken> write) =>
        new(name, "BF16", shape, 2 * Count(shape), write);

    /// <summary>A tensor of single bytes, such as codes or scales.</summary>
    public static OutputTensor Byte(string name, long[] shape, Action<Stream, CancellationToken> write) =>
        new(name, "U8", shape, Count(shape), write);

    private static long Count(long[] shape) => shape.Aggregate(1L, (count, size) => checked(count * size));
}
