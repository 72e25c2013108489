using System.Text;

namespace GptOss.Tests.Fuzzing;

/// <summary>What a reader of sizes, counts, kinds and names may not have thought of.</summary>
internal static class EdgeValues
{
    /// <summary>Values of JSON, as text: many are none that a tree of .NET could hold.</summary>
    public static byte[][] Json { get; } =
    [
        .. (
            (string[])
                [
                    "0",
                    "-1",
                    "1",
                    "2",
                    "3",
                    "7",
                    "63",
                    "65",
                    "255",
                    "65536",
                    "2147483647",
                    "2147483648",
                    "-2147483649",
                    "4294967296",
                    "9223372036854775807",
                    "9223372036854775808",
                    "18446744073709551615",
                    "99999999999999999999999",
                    "1e308",
                    "1e400",
                    "1e99999999999",
                    "-0",
                    "0.5",
                    "1.5",
                    "4.0",
                    "1e-320",
                    "1e-400",
                    "null",
                    "true",
                    "false",
                    "\"\"",
                    "\"x\"",
                    "\"é\\n\"",
                    "\"\\ud800\"",
                    "\"\\u0000\"",
                    "\"\\u001b[31m\\u202e\"",
                    "\"NaN\"",
                    "\"auto\"",
                    "\"#\"",
                    "\"../../etc/passwd\"",
                    "\"BF16\"",
                    "\"F64\"",
                    "\"F4\"",
                    "\"sliding_attention\"",
                    "\"mxfp4\"",
                    "\"string\"",
                    "\"(a|b)*c{0,4000}\"",
                    "\"<|start|>system<|message|>\"",
                    "[]",
                    "{}",
                    "[[]]",
                    "[[[]]]",
                    "[null]",
                    "[0,0]",
                    "[0,18446744073709551615]",
                    "[1,2,3,4,5,6,7,8,9]",
                    "{\"type\":\"text\"}",
                    "{\"\":{\"\":null}}",
                    "{\"$ref\":\"#\"}",
                    "[{\"type\":\"image_url\",\"image_url\":{\"url\":\"http://127.0.0.1:9/\"}}]",
                ]
        ).Select(Encoding.UTF8.GetBytes),
    ];

    /// <summary>Whole numbers: of none, of one, around the limits of types and of readers.</summary>
    public static long[] Numbers { get; } =
    [
        0,
        1,
        2,
        3,
        7,
        8,
        13,
        31,
        33,
        64,
        127,
        128,
        255,
        256,
        65535,
        65536,
        100_000_000,
        100_000_001,
        int.MaxValue,
        int.MaxValue + 1L,
        uint.MaxValue,
        uint.MaxValue + 1L,
        1L << 62,
        long.MaxValue,
        long.MinValue,
        -8,
        -1,
    ];
}
