using System.Text;

namespace GptOss.Checkpoint;

/// <summary>A named, shaped window onto a memory-mapped checkpoint file. Copying it copies no data.</summary>
/// <remarks>
/// Valid until its <see cref="ICheckpoint"/> is disposed. A tensor may exceed 2 GB, hence the pointer and the
/// 64-bit length; its first byte may lie at any address, odd ones included.
/// </remarks>
// Bound: ByteLength bytes from Data on, which the header's reader has found within the file.
internal readonly unsafe struct Tensor
{
    private readonly TensorEntry _entry;

    public Tensor(string file, TensorEntry entry, byte* data)
    {
        File = file;
        _entry = entry;
        Data = data;
    }

    /// <summary>Path of the file that holds the tensor.</summary>
    public string File { get; }

    /// <summary>The first of <see cref="ByteLength"/> bytes, row major, little endian.</summary>
    public byte* Data { get; }

    public string Name => _entry.Name;

    public DType DType => _entry.DType;

    /// <summary>Outermost dimension first; empty for a single value.</summary>
    public ReadOnlySpan<long> Shape => _entry.Shape;

    /// <summary>How many values the tensor has: the product of its shape.</summary>
    public long Count => _entry.Count;

    public long ByteLength => _entry.ByteLength;

    /// <summary>Returns this tensor if it has the given type and shape.</summary>
    /// <exception cref="CheckpointException">Names file, tensor, expected and found.</exception>
    public Tensor Expect(DType dtype, params ReadOnlySpan<long> shape) =>
        DType == dtype && Shape.SequenceEqual(shape)
            ? this
            : throw new CheckpointException(File, $"should be {Describe(dtype, shape)} but is {this}.", Name);

    /// <summary>Type and shape, such as <c>BF16 [2880, 4096]</c>.</summary>
    public override string ToString() => Describe(DType, Shape);

    /// <summary>Type and shape as text, at most eight dimensions of it.</summary>
    public static string Describe(DType dtype, ReadOnlySpan<long> shape)
    {
        const int Shown = 8;
        var text = new StringBuilder(dtype.Spelling()).Append(" [");
        for (int i = 0; i < Math.Min(shape.Length, Shown); i++)
            text.Append(i == 0 ? "" : ", ").Append(shape[i]);
        return text.Append(shape.Length > Shown ? $", … {shape.Length} dimensions]" : "]").ToString();
    }
}
