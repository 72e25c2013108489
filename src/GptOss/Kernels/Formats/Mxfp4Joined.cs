using GptOss.Kernels.MatMul;

namespace GptOss.Kernels.Formats;

/// <summary>
/// MXFP4 whose blocks hold their scales, as GGUF has it, multiplied by float32 activations: <see cref="Mxfp4"/> with
/// another order of the bytes, and with the same bits in the results.
/// </summary>
internal readonly struct Mxfp4Joined<TBlocks> : IMatrixFormat
    where TBlocks : struct, IMxfp4Blocks
{
    public static int UnitOutputs => Mxfp4.UnitOutputs;

    public static long Bytes(int outputs, int inputs) => Mxfp4.Bytes(outputs, inputs);

    public static int PermutedWidth(int inputs) => Mxfp4.PermutedWidth(inputs);

    public static int ScratchFloats(int inputs, int tokens) => Mxfp4.ScratchFloats(inputs, tokens);

    public static void Permute(ReadOnlySpan<float> x, Span<float> permuted, int tokens) => Mxfp4.Permute(x, permuted);

    public static void Multiply(in StoredWeights w, int first, int count, Rows x, Rows y, Span<float> scratch) =>
        Mxfp4.Multiply<TBlocks>(in w, first, count, x, y, scratch);

    public static void Widen(in StoredWeights w, int output, Span<float> row) =>
        Mxfp4.Widen<TBlocks>(in w, output, row);
}

/// <summary>The same weights in the fast precision: <see cref="Mxfp4Int8"/> with another order of the bytes.</summary>
internal readonly struct Mxfp4JoinedInt8<TBlocks> : IMatrixFormat
    where TBlocks : struct, IMxfp4Blocks
{
    public static int UnitOutputs => Mxfp4Int8.UnitOutputs;

    public static long Bytes(int outputs, int inputs) => Mxfp4Int8.Bytes(outputs, inputs);

    public static int PermutedWidth(int inputs) => Mxfp4Int8.PermutedWidth(inputs);

    public static int ScratchFloats(int inputs, int tokens) => Mxfp4Int8.ScratchFloats(inputs, tokens);

    public static void Permute(ReadOnlySpan<float> x, Span<float> permuted, int tokens) =>
        Mxfp4Int8.Permute<TBlocks>(x, permuted, tokens);

    public static void Multiply(in StoredWeights w, int first, int count, Rows x, Rows y, Span<float> scratch) =>
        Mxfp4Int8.Multiply<TBlocks>(in w, first, count, x, y, scratch);

    public static void Widen(in StoredWeights w, int output, Span<float> row) =>
        Mxfp4.Widen<TBlocks>(in w, output, row);
}
