namespace GptOss.Checkpoint;

/// <summary>
/// The element types of safetensors, all of them: the file's spelling of a member is <see cref="DTypes.Spelling"/>.
/// </summary>
/// <remarks>Source: enum Dtype in huggingface/safetensors, safetensors/src/tensor.rs.</remarks>
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
}

/// <summary>Spelling and width of every <see cref="DType"/>.</summary>
internal static class DTypes
{
    // Indexed by DType.
    private static readonly (string Spelling, int Bits)[] Table =
    [
        ("BOOL", 8),
        ("F4", 4),
        ("F6_E2M3", 6),
        ("F6_E3M2", 6),
        ("U8", 8),
        ("I8", 8),
        ("F8_E5M2", 8),
        ("F8_E4M3", 8),
        ("F8_E5M2FNUZ", 8),
        ("F8_E4M3FNUZ", 8),
        ("F8_E8M0", 8),
        ("I16", 16),
        ("U16", 16),
        ("F16", 16),
        ("BF16", 16),
        ("I32", 32),
        ("U32", 32),
        ("F32", 32),
        ("C64", 64),
        ("F64", 64),
        ("I64", 64),
        ("U64", 64),
    ];

    /// <summary>Bits per value: 4 to 64.</summary>
    public static int Bits(this DType dtype) => Table[(int)dtype].Bits;

    /// <summary>The name in the file, such as <c>BF16</c> or <c>F8_E4M3</c>.</summary>
    public static string Spelling(this DType dtype) => Table[(int)dtype].Spelling;

    /// <summary>Finds the type with exactly this spelling; case counts.</summary>
    public static bool TryParse(string spelling, out DType dtype)
    {
        int index = Array.FindIndex(Table, row => row.Spelling == spelling);
        dtype = (DType)Math.Max(index, 0);
        return index >= 0;
    }
}
