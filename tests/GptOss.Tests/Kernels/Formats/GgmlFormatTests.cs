using System.Text.Json;
using GptOss.Checkpoint;
using GptOss.Kernels.Formats;
using GptOss.Kernels.MatMul;
using GptOss.Kernels.Registers;
using GptOss.Model;
using GptOss.Tests.Checkpoint.Gguf;

namespace GptOss.Tests.Kernels.Formats;

/// <summary>
/// The formats of GGUF against rows whose values ggml's own decoders gave: packed normal numbers and random bits.
/// </summary>
public sealed unsafe class GgmlFormatTests
{
    private static readonly Dictionary<string, (string Name, byte[][] Rows, float[][] Values)> Vectors = Read();

    public static TheoryData<string> Names => [.. Vectors.Keys];

    public static MatrixTheoryData<int, string> WidthsAndNumbers =>
        new(
            Registers.Widths.Select(width => width.Data),
            Vectors.Keys.Where(name => !name.StartsWith("MXFP4", StringComparison.Ordinal))
        );

    [Theory, MemberData(nameof(Names))]
    public void A_row_widens_to_the_bits_of_ggml(string name)
    {
        (_, byte[][] rows, float[][] values) = Vectors[name];
        for (int i = 0; i < rows.Length; i++)
        {
            float[] row = new float[values[i].Length];
            using var guarded = new GuardedMemory<byte>(rows[i]);
            fixed (byte* data = guarded.Span)
            {
                var w = new StoredWeights
                {
                    Outputs = 1,
                    Inputs = row.Length,
                    Data = data,
                };
                Format(name).Widen(in w, 0, row);
            }
            AssertSame(values[i], row, $"row {i}");
        }
    }

    [Theory, MemberData(nameof(WidthsAndNumbers))]
    public void Every_width_loads_the_bits_of_ggml_and_so_does_the_definition(int width, string name)
    {
        (_, byte[][] rows, float[][] values) = Vectors[name];
        for (int i = 0; i < rows.Length; i++)
        {
            using var guarded = new GuardedMemory<byte>(rows[i]);
            float[] loaded = new float[values[i].Length],
                defined = new float[values[i].Length];
            switch (Format(name))
            {
                case WeightFormat.BFloat16:
                    Load<BFloat16>();
                    break;
                case WeightFormat.Float16:
                    Load<Float16>();
                    break;
                case WeightFormat.Float32:
                    Load<Float32>();
                    break;
                case WeightFormat.Q8_0:
                    Load<Q8_0>();
                    break;
                case WeightFormat.Q4_0:
                    Load<Q4_0>();
                    break;
                case WeightFormat.Q4_1:
                    Load<Q4_1>();
                    break;
                case WeightFormat.Q5_0:
                    Load<Q5_0>();
                    break;
                case WeightFormat.Q5_1:
                    Load<Q5_1>();
                    break;
                case WeightFormat.IQ4_NL:
                    Load<IQ4_NL>();
                    break;
                case WeightFormat.Q2_K:
                    Load<Q2_K>();
                    break;
                case WeightFormat.Q3_K:
                    Load<Q3_K>();
                    break;
                case WeightFormat.Q4_K:
                    Load<Q4_K>();
                    break;
                case WeightFormat.Q5_K:
                    Load<Q5_K>();
                    break;
                case WeightFormat.Q6_K:
                    Load<Q6_K>();
                    break;
                case WeightFormat.IQ4_XS:
                    Load<IQ4_XS>();
                    break;
                default:
                    Assert.Fail($"No case for {name}.");
                    break;
            }
            AssertSame(values[i], loaded, $"row {i}");
            AssertSame(values[i], defined, $"row {i}, by the definition");

            void Load<TNumbers>()
                where TNumbers : struct, INumberFormat
            {
                Assert.Equal(rows[0].Length, values[0].Length / TNumbers.BlockValues * TNumbers.BlockBytes);
                Registers.Run(width, new LoadRow<TNumbers>(guarded.Span, loaded));
                for (int k = 0; k < defined.Length; k++)
                    defined[k] = TNumbers.Value(guarded.Span, k);
            }
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void The_sizes_of_a_block_are_those_of_the_table_of_types(string name)
    {
        DType dtype = TypeOf(name);
        Assert.Equal(Vectors[name].Rows[0].Length, 256 / dtype.BlockValues() * dtype.BlockBytes());
        Assert.Equal(Vectors[name].Rows[0].Length, Format(name).Bytes(1, 256));
    }

    private static WeightFormat Format(string name) => TensorFormats.Of(TypeOf(name))!.Value;

    private static DType TypeOf(string name) =>
        name == "MXFP4 of early Ollama"
            ? DType.Mxfp4Type4
            : Enum.GetValues<DType>().Single(dtype => dtype.Spelling() == name);

    // A NaN has many bits that mean the same.
    private static void AssertSame(float[] expected, float[] actual, string where)
    {
        for (int k = 0; k < expected.Length; k++)
            Assert.True(
                BitConverter.SingleToInt32Bits(expected[k]) == BitConverter.SingleToInt32Bits(actual[k])
                    || float.IsNaN(expected[k]) && float.IsNaN(actual[k]),
                $"{where}, value {k}: expected {expected[k]:R}, is {actual[k]:R}"
            );
    }

    private static Dictionary<string, (string, byte[][], float[][])> Read()
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(GgufVectors.PathOf("types.json")));
        return json
            .RootElement.EnumerateArray()
            .ToDictionary(
                type => type.GetProperty("name").GetString()!,
                type =>
                    (
                        type.GetProperty("name").GetString()!,
                        Hex(type.GetProperty("rows")),
                        Hex(type.GetProperty("float32_le")).Select(Floats).ToArray()
                    )
            );

        static byte[][] Hex(JsonElement rows) =>
            [.. rows.EnumerateArray().Select(row => Convert.FromHexString(row.GetString()!))];

        static float[] Floats(byte[] bytes) =>
            [.. Enumerable.Range(0, bytes.Length / 4).Select(i => BitConverter.ToSingle(bytes, 4 * i))];
    }

    private readonly ref struct LoadRow<TNumbers>(ReadOnlySpan<byte> row, float[] values) : ILaneKernel
        where TNumbers : struct, INumberFormat
    {
        private readonly ReadOnlySpan<byte> _row = row;
        private readonly float[] _values = values;

        public void Run<T>()
            where T : struct, ILanes<T>
        {
            for (nuint k = 0; k < (nuint)_values.Length; k += 16)
                T.Store(TNumbers.Load<T>(in _row[0], k), ref _values[0], k);
        }
    }
}
