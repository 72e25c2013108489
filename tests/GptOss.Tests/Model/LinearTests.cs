using System.Runtime.InteropServices;
using GptOss.Kernels;
using GptOss.Model;
using GptOss.Tests.Kernels;
using GptOss.Tests.Oracles;
using GptOss.Threading;

namespace GptOss.Tests.Model;

public sealed unsafe class LinearTests
{
    [Theory]
    [InlineData(nameof(MatrixKind.BFloat16ByOutput), 37, 50)] // no multiple of anything
    [InlineData(nameof(MatrixKind.BFloat16ByInput), 37, 50)]
    [InlineData(nameof(MatrixKind.PlainByOutput), 37, 50)]
    [InlineData(nameof(MatrixKind.PlainByInput), 37, 50)]
    [InlineData(nameof(MatrixKind.Mxfp4), 37, 96)] // three blocks: less than a step
    [InlineData(nameof(MatrixKind.Mxfp4), 64, 288)] // two steps and a rest
    [Trait("speed", "slow")]
    public void Many_rows_in_one_call_are_as_many_calls_of_one_row(string name, int outputs, int inputs)
    {
        var kind = Enum.Parse<MatrixKind>(name);
        const int Most = 70;
        float[] x = Sample.Floats(Most * inputs, seed: 1);
        byte[] data =
            kind == MatrixKind.Mxfp4
                ? Sample.Bytes(outputs * inputs / 2, seed: 2)
                : MemoryMarshal.AsBytes<ushort>(Sample.BFloat16s(outputs * inputs, seed: 2)).ToArray();
        byte[] scales = Sample.Scales(outputs * inputs / 32 + 1, seed: 3);
        ushort[] bias = Sample.BFloat16s(outputs, seed: 4);
        fixed (
            byte* w = data,
                s = scales
        )
        fixed (ushort* b = bias)
        {
            var matrix = new Matrix
            {
                Kind = kind,
                Outputs = outputs,
                Inputs = inputs,
                Data = w,
                Scales = s,
                Bias = new Numbers((byte*)b, NumberFormat.BFloat16),
            };
            float[][] alone = [.. x.Chunk(inputs).Select(row => Apply(matrix, row, threads: 1))];
            foreach (int threads in (int[])[1, 3])
                for (int rows = 1; rows <= Most; rows++)
                    Sample.AssertSameBits(
                        [.. alone.Take(rows).SelectMany(row => row)],
                        Apply(matrix, x[..(rows * inputs)], threads),
                        $"{rows} rows"
                    );
        }
    }

    [Fact]
    public void No_rows_are_no_work()
    {
        var matrix = new Matrix
        {
            Kind = MatrixKind.BFloat16ByOutput,
            Outputs = 4,
            Inputs = 4,
            Data = null,
        };
        Assert.Empty(Apply(matrix, [], threads: 1));
    }

    private static float[] Apply(Matrix matrix, float[] x, int threads)
    {
        using var team = new WorkerTeam(threads);
        using var ws = new Workspace(ModelConfigTests.Read(TinyConfig.HuggingFace(new TinyShape())), team);
        float[] y = new float[x.Length / matrix.Inputs * matrix.Outputs];
        fixed (
            float* px = x,
                py = y
        )
            Linear.Apply(
                new Rows(new Span<float>(px, x.Length), matrix.Inputs),
                matrix,
                new Rows(new Span<float>(py, y.Length), matrix.Outputs),
                ws
            );
        return y;
    }
}
