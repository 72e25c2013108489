using System.Runtime.InteropServices;
using GptOss.Kernels.Formats;

namespace GptOss.Kernels.MatMul;

/// <summary>
/// Matrices of numbers in two parts, one with the even outputs and one with the odd ones: gate and up projections of
/// fine-tunes that store them apart. Each part is stored output by output, and may have its own format of numbers.
/// </summary>
/// <remarks>
/// The rows of some outputs are widened side by side in scratch memory; the rest is <see cref="ByOutput{TNumbers}"/>.
/// </remarks>
internal readonly unsafe struct EvenAndOdd<TEven, TOdd> : IMatrixFormat
    where TEven : struct, INumberFormat
    where TOdd : struct, INumberFormat
{
    private const int StripOutputs = 12;

    public static int UnitOutputs => StripOutputs;

    public static long Bytes(int outputs, int inputs) =>
        ByOutput<TEven>.Bytes((outputs + 1) / 2, inputs) + ByOutput<TOdd>.Bytes(outputs / 2, inputs);

    public static int PermutedWidth(int inputs) => 0;

    public static void Permute(ReadOnlySpan<float> x, Span<float> permuted, int tokens) => x.CopyTo(permuted);

    public static int ScratchFloats(int inputs, int tokens) => StripOutputs * inputs;

    public static void Multiply(in StoredWeights w, int first, int count, Rows x, Rows y, Span<float> scratch)
    {
        for (int from = first; from < first + count; from += StripOutputs)
        {
            int outputs = Math.Min(StripOutputs, first + count - from);
            Span<float> strip = scratch[..(outputs * w.Inputs)];
            for (int i = 0; i < outputs; i++)
                Widen(in w, from + i, strip.Slice(i * w.Inputs, w.Inputs));
            ByOutput<Float32>.Multiply(MemoryMarshal.AsBytes(strip), x, y, from);
        }
    }

    public static void Widen(in StoredWeights w, int output, Span<float> row)
    {
        if (output % 2 == 0)
            Widen<TEven>(w.Data, output / 2, row);
        else
            Widen<TOdd>(w.Odd, output / 2, row);
    }

    private static void Widen<TNumbers>(byte* part, int output, Span<float> row)
        where TNumbers : struct, INumberFormat
    {
        long bytes = ByOutput<TNumbers>.Bytes(1, row.Length);
        ByOutput<TNumbers>.Widen(new(part + output * bytes, (int)bytes), row);
    }
}
