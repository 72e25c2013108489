namespace GptOss.Checkpoint.Gguf;

/// <summary>The type of a key's value, by its number in the file.</summary>
internal enum GgufType
{
    UInt8,
    Int8,
    UInt16,
    Int16,
    UInt32,
    Int32,
    Float32,
    Bool,
    String,
    Array,
    UInt64,
    Int64,
    Float64,
}

/// <summary>The numbers that types have in a GGUF file.</summary>
/// <remarks>Source: enum ggml_type in ggml-org/ggml, include/ggml.h.</remarks>
internal static class GgufTypes
{
    private static readonly Dictionary<uint, DType> Read = new()
    {
        [0] = DType.F32,
        [1] = DType.F16,
        [2] = DType.Q4_0,
        [3] = DType.Q4_1,
        [4] = DType.Mxfp4Type4,
        [6] = DType.Q5_0,
        [7] = DType.Q5_1,
        [8] = DType.Q8_0,
        [10] = DType.Q2_K,
        [11] = DType.Q3_K,
        [12] = DType.Q4_K,
        [13] = DType.Q5_K,
        [14] = DType.Q6_K,
        [20] = DType.IQ4_NL,
        [23] = DType.IQ4_XS,
        [24] = DType.I8,
        [25] = DType.I16,
        [26] = DType.I32,
        [27] = DType.I64,
        [28] = DType.F64,
        [30] = DType.BF16,
        [39] = DType.Mxfp4,
    };

    // Types that other engines write, so that a message can call them by name.
    private static readonly Dictionary<uint, string> Refused = new()
    {
        [5] = "Q4_3",
        [9] = "Q8_1",
        [15] = "Q8_K",
        [16] = "IQ2_XXS",
        [17] = "IQ2_XS",
        [18] = "IQ3_XXS",
        [19] = "IQ1_S",
        [21] = "IQ3_S",
        [22] = "IQ2_S",
        [29] = "IQ1_M",
        [31] = "Q4_0_4_4",
        [32] = "Q4_0_4_8",
        [33] = "Q4_0_8_8",
        [34] = "TQ1_0",
        [35] = "TQ2_0",
        [40] = "NVFP4",
        [41] = "Q1_0",
        [42] = "Q2_0",
    };

    /// <summary>Finds the type of a tensor by its number; null for one that is not read.</summary>
    public static DType? Find(uint number) => Read.TryGetValue(number, out DType dtype) ? dtype : null;

    /// <summary>The name of a type that is not read, for a message.</summary>
    public static string NameOf(uint number) => Refused.GetValueOrDefault(number) ?? $"type {number}";

    /// <summary>Bytes of a value of a key, of an array's element too; 0 where they vary.</summary>
    public static int Bytes(this GgufType type) =>
        type switch
        {
            GgufType.UInt8 or GgufType.Int8 or GgufType.Bool => 1,
            GgufType.UInt16 or GgufType.Int16 => 2,
            GgufType.UInt32 or GgufType.Int32 or GgufType.Float32 => 4,
            GgufType.UInt64 or GgufType.Int64 or GgufType.Float64 => 8,
            _ => 0,
        };

    /// <summary>How a message calls a value of this type.</summary>
    public static string Describe(this GgufType type) =>
        type switch
        {
            GgufType.String => "a string",
            GgufType.Array => "an array",
            GgufType.Bool => "a bool",
            GgufType.Float32 or GgufType.Float64 => "a floating-point number",
            _ => "a whole number",
        };
}
