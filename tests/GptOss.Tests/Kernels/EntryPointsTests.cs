using GptOss.Kernels;
using GptOss.Kernels.Formats;
using GptOss.Kernels.MatMul;

namespace GptOss.Tests.Kernels;

/// <summary>Entry points of kernels refuse lengths that do not fit each other, before anything is read.</summary>
[Promise(25)]
public sealed unsafe class EntryPointsTests
{
    public static TheoryData<string> NumberFormats =>
        [.. Enum.GetValues<WeightFormat>().Where(format => format.IsOfNumbers).Select(format => $"{format}")];

    public static TheoryData<string> Formats => [.. Enum.GetNames<WeightFormat>()];

    [Theory, MemberData(nameof(NumberFormats))]
    public void A_thin_product_refuses_a_range_beyond_the_outputs_and_rows_that_differ(string name)
    {
        WeightFormat format = Enum.Parse<WeightFormat>(name);
        using var w = new GuardedMemory<byte>(new byte[format.Bytes(1, 256)]);
        fixed (byte* data = w.Span)
        {
            nint address = (nint)data;
            Add();
            Refused(() => Add(first: 1));
            Refused(() => Add(first: -1));
            Refused(() => Add(count: 257));
            Refused(() => Add(count: -1));
            Refused(() => Add(first: int.MaxValue, count: 16));
            Refused(() => Add(tokens: 3));

            void Add(int first = 0, int count = 256, int tokens = 2) =>
                format.AddThin(
                    (byte*)address,
                    new Rows(new float[tokens], 1),
                    first,
                    count,
                    new Rows(new float[2 * 256], 256)
                );
        }
    }

    [Theory, MemberData(nameof(Formats))]
    public void Widening_refuses_an_output_beyond_the_matrix_and_a_row_of_another_length(string name)
    {
        WeightFormat format = Enum.Parse<WeightFormat>(name);
        MatrixLayout[] layouts = format.IsOfNumbers
            ? [MatrixLayout.ByOutput, MatrixLayout.ByInput]
            : [MatrixLayout.ByOutput];
        using var weights = new GuardedMemory<byte>(new byte[format.Bytes(256, 256)]);
        using var scales = new GuardedMemory<byte>(new byte[256 * 256 / 32]);
        fixed (
            byte* data = weights.Span,
                bytes = scales.Span
        )
        {
            var w = new StoredWeights
            {
                Outputs = 256,
                Inputs = 256,
                Data = data,
                Scales = bytes,
            };
            foreach (MatrixLayout layout in layouts)
            {
                format.Widen(in w, 255, new float[256], layout);
                Refused(() => format.Widen(in w, 256, new float[256], layout));
                Refused(() => format.Widen(in w, -1, new float[256], layout));
                Refused(() => format.Widen(in w, 255, new float[288], layout));
                Refused(() => format.Widen(in w, 255, new float[224], layout));
            }
        }
    }

    [Theory, MemberData(nameof(NumberFormats))]
    public void Packing_refuses_weights_that_are_no_rows_or_too_many_and_another_panel(string name)
    {
        WeightFormat format = Enum.Parse<WeightFormat>(name);
        int row = (int)format.Bytes(1, 256),
            panel = (int)Int8.PanelBytes(256);
        format.PackInt8(new byte[32 * row], 256, new byte[panel]);
        Refused(() => format.PackInt8(new byte[row - 1], 256, new byte[panel]));
        Refused(() => format.PackInt8(new byte[33 * row], 256, new byte[panel]));
        Refused(() => format.PackInt8(new byte[row], 256, new byte[panel - 1]));
        Refused(() => format.PackInt8(new byte[row], 256, new byte[panel + 1]));
        Refused(() => format.PackInt8([], 0, []));
    }

    [Theory]
    [InlineData(nameof(WeightFormat.Mxfp4))]
    [InlineData(nameof(WeightFormat.Mxfp4Halves))]
    [InlineData(nameof(WeightFormat.Mxfp4Pairs))]
    public void Copying_codes_refuses_an_output_beyond_the_matrix_and_other_destinations(string name)
    {
        WeightFormat format = Enum.Parse<WeightFormat>(name);
        using var blocks = new GuardedMemory<byte>(new byte[2 * 3 * 17]);
        fixed (byte* data = blocks.Span)
        {
            var w = new StoredWeights
            {
                Outputs = 2,
                Inputs = 96,
                Data = data,
                Scales = data,
            };
            Mxfp4Packing.Copy(format, in w, 1, new byte[48], new byte[3]);
            Refused(() => Mxfp4Packing.Copy(format, in w, 2, new byte[48], new byte[3]));
            Refused(() => Mxfp4Packing.Copy(format, in w, -1, new byte[48], new byte[3]));
            Refused(() => Mxfp4Packing.Copy(format, in w, 1, new byte[49], new byte[3]));
            Refused(() => Mxfp4Packing.Copy(format, in w, 1, new byte[48], new byte[4]));
        }
    }

    // A sum beyond the largest integer would be negative, and so below every limit.
    [Fact]
    public void A_first_output_whose_sum_with_the_count_overflows_is_refused()
    {
        Refused(() =>
            ByInput<Float32>.Multiply(
                new byte[64],
                int.MaxValue,
                16,
                new Rows(new float[1], 1),
                new Rows(new float[16], 16),
                []
            )
        );
        Refused(() =>
            ByOutput<Float32>.Multiply(
                new byte[64],
                new Rows(new float[1], 1),
                new Rows(new float[16], 16),
                int.MaxValue
            )
        );
        Refused(() =>
            Mxfp4.Multiply(
                new byte[16],
                new byte[1],
                32,
                new Rows(new float[128], 128),
                new Rows(new float[16], 16),
                int.MaxValue,
                []
            )
        );
        Refused(() =>
            Int8.Multiply(
                new byte[Int8.PanelBytes(32)],
                32,
                new Rows(new float[Int8Row.Width(32)], Int8Row.Width(32)),
                new Rows(new float[16], 16),
                int.MaxValue
            )
        );
    }

    [Fact]
    public void A_row_of_quantised_activations_that_is_too_short_is_refused()
    {
        foreach (int inputs in (int[])[1, 32, 33, 544])
        {
            // Eight floats hold the bytes of a block, two more its scale and its offset.
            int blocks = Int8Row.Blocks(inputs),
                padded = (blocks + 15) / 16 * 16;
            Refused(() => Int8Row.ToBlockOrder(new float[inputs], new float[10 * padded - 1], 128, 1));
            Refused(() => Mxfp4Int8.Permute(new float[inputs], new float[10 * padded - 1], 1));
            Refused(() => Int8.Permute(new float[inputs], new float[10 * blocks - 1], 1));
            Refused(() => Mxfp4Int8.Permute(new float[inputs], new float[10 * blocks - 1], 9));
        }
    }

    private static void Refused(Action call) => Assert.ThrowsAny<ArgumentException>(call);
}
