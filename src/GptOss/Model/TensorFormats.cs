using GptOss.Checkpoint;
using GptOss.Kernels.Formats;

namespace GptOss.Model;

/// <summary>The format in which kernels read a tensor of a type.</summary>
internal static class TensorFormats
{
    /// <summary>
    /// The format of a matrix; null for a type that no matrix may have. Numbers that stand alone, such as biases, may
    /// be of the first three formats only.
    /// </summary>
    public static WeightFormat? Of(DType dtype) =>
        dtype switch
        {
            DType.BF16 => WeightFormat.BFloat16,
            DType.F16 => WeightFormat.Float16,
            DType.F32 => WeightFormat.Float32,
            DType.Q8_0 => WeightFormat.Q8_0,
            DType.Q4_0 => WeightFormat.Q4_0,
            DType.Q4_1 => WeightFormat.Q4_1,
            DType.Q5_0 => WeightFormat.Q5_0,
            DType.Q5_1 => WeightFormat.Q5_1,
            DType.IQ4_NL => WeightFormat.IQ4_NL,
            DType.Q2_K => WeightFormat.Q2_K,
            DType.Q3_K => WeightFormat.Q3_K,
            DType.Q4_K => WeightFormat.Q4_K,
            DType.Q5_K => WeightFormat.Q5_K,
            DType.Q6_K => WeightFormat.Q6_K,
            DType.IQ4_XS => WeightFormat.IQ4_XS,
            DType.Mxfp4 => WeightFormat.Mxfp4Halves,
            DType.Mxfp4Type4 => WeightFormat.Mxfp4Pairs,
            _ => null,
        };
}
