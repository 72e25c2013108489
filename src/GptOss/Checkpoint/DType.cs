namespace GptOss.Checkpoint;

/// <summary>
/// The types in which the values of tensors are stored: all of safetensors, and those of GGUF that this engine reads.
/// </summary>
/// <remarks>
/// Source: enum Dtype in huggingface/safetensors, safetensors/src/tensor.rs; enum ggml_type in ggml-org/ggml,
/// include/ggml.h. The file's spelling of a member is <see cref="DTypes.Spelling"/>.
/// </remarks>
internal enum DType
{
    Bool,
    F4,
    F6E2M3,
    F6E3M2,
    U8,
    I8,
    F8E5M2,
    F8E4M3,
    F8E5M2Fnuz,
    F8E4M3Fnuz,
    F8E8M0,
    I16,
    U16,
    F16,
    BF16,
    I32,
    U32,
    F32,
    C64,
    F64,
    I64,
    U64,

    // The formats of GGUF whose values share scales.
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q2_K,
    Q3_K,
    Q4_K,
    Q5_K,
    Q6_K,
    IQ4_NL,
    IQ4_XS,
    Mxfp4,

    /// <summary>MXFP4 of Ollama's first files, which had the number 4 and another order of nibbles.</summary>
    Mxfp4Type4,
}

/// <summary>Spelling and size of every <see cref="DType"/>.</summary>
internal static class DTypes
{
    // Indexed by DType: values of a block and its bytes.
    private static readonly (string Spelling, int Values, int Bytes)[] Table =
    [
        ("BOOL", 1, 1),
        ("F4", 2, 1),
        ("F6_E2M3", 4, 3),
        ("F6_E3M2", 4, 3),
        ("U8", 1, 1),
        ("I8", 1, 1),
        ("F8_E5M2", 1, 1),
        ("F8_E4M3", 1, 1),
        ("F8_E5M2FNUZ", 1, 1),
        ("F8_E4M3FNUZ", 1, 1),
        ("F8_E8M0", 1, 1),
        ("I16", 1, 2),
        ("U16", 1, 2),
        ("F16", 1, 2),
        ("BF16", 1, 2),
        ("I32", 1, 4),
        ("U32", 1, 4),
        ("F32", 1, 4),
        ("C64", 1, 8),
        ("F64", 1, 8),
        ("I64", 1, 8),
        ("U64", 1, 8),
        ("Q4_0", 32, 18),
        ("Q4_1", 32, 20),
        ("Q5_0", 32, 22),
        ("Q5_1", 32, 24),
        ("Q8_0", 32, 34),
        ("Q2_K", 256, 84),
        ("Q3_K", 256, 110),
        ("Q4_K", 256, 144),
        ("Q5_K", 256, 176),
        ("Q6_K", 256, 210),
        ("IQ4_NL", 32, 18),
        ("IQ4_XS", 256, 136),
        ("MXFP4", 32, 17),
        ("MXFP4 (type 4)", 32, 17),
    ];

    /// <summary>Bits of a value that has bytes of its own, or shares them with its neighbours: 4 to 64.</summary>
    public static int Bits(this DType dtype) => 8 * dtype.BlockBytes() / dtype.BlockValues();

    /// <summary>Number of values that are stored as one block: 1 for plain numbers.</summary>
    public static int BlockValues(this DType dtype) => Table[(int)dtype].Values;

    /// <summary>Number of bytes of a block, its scales included.</summary>
    public static int BlockBytes(this DType dtype) => Table[(int)dtype].Bytes;

    /// <summary>The name in the file, such as <c>BF16</c>, <c>F8_E4M3</c> or <c>Q8_0</c>.</summary>
    public static string Spelling(this DType dtype) => Table[(int)dtype].Spelling;

    /// <summary>Finds the type of safetensors with exactly this spelling; case counts.</summary>
    public static bool TryParse(string spelling, out DType dtype)
    {
        int index = Array.FindIndex(Table, 0, (int)DType.Q4_0, row => row.Spelling == spelling);
        dtype = (DType)Math.Max(index, 0);
        return index >= 0;
    }
}
