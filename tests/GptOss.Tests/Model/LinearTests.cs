using System.Runtime.InteropServices;
using GptOss.Kernels;
using GptOss.Kernels.Formats;
using GptOss.Model;
using GptOss.Tests.Kernels;
using GptOss.Tests.Oracles;
using GptOss.Threading;

namespace GptOss.Tests.Model;

public sealed unsafe class LinearTests
{
    [Theory]
    [InlineData(nameof(WeightFormat.BFloat16), nameof(MatrixLayout.ByOutput), 37, 50)] // no multiple of anything
    [InlineData(nameof(WeightFormat.BFloat16), nameof(MatrixLayout.ByInput), 37, 50)]
    [InlineData(nameof(WeightFormat.Float16), nameof(MatrixLayout.ByOutput), 37, 50)]
    [InlineData(nameof(WeightFormat.Float32), nameof(MatrixLayout.ByInput), 37, 50)]
    [InlineData(nameof(WeightFormat.Q8_0), nameof(MatrixLayout.ByOutput), 37, 96)]
    [InlineData(nameof(WeightFormat.Mxfp4), nameof(MatrixLayout.ByOutput), 37, 96)] // three blocks: less than a step
    [InlineData(nameof(WeightFormat.Mxfp4), nameof(MatrixLayout.ByOutput), 64, 288)] // two steps and a rest
    [InlineData(nameof(WeightFormat.Mxfp4Int8), nameof(MatrixLayout.ByOutput), 37, 96)]
    [Trait("speed", "slow")]
    public void Many_rows_in_one_call_are_as_many_calls_of_one_row(string name, string order, int outputs, int inputs)
    {
        var format = Enum.Parse<WeightFormat>(name);
        const int Most = 257;
        float[] x = Sample.Floats(Most * inputs, seed: 1);
        byte[] data = format switch
        {
            WeightFormat.BFloat16 => [.. MemoryMarshal.AsBytes(Sample.BFloat16s(outputs * inputs, seed: 2).AsSpan())],
            WeightFormat.Float16 => Sample.Float16s(outputs * inputs, seed: 2),
            WeightFormat.Float32 => [.. MemoryMarshal.AsBytes(Sample.Floats(outputs * inputs, seed: 2).AsSpan())],
            WeightFormat.Q8_0 => Sample.Q8_0(outputs * inputs / 32, seed: 2),
            WeightFormat.Mxfp4 or WeightFormat.Mxfp4Int8 => Sample.Bytes(outputs * inputs / 2, seed: 2),
            _ => throw new NotSupportedException($"No sample of {format}."),
        };
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
                Format = format,
                Layout = Enum.Parse<MatrixLayout>(order),
                Outputs = outputs,
                Inputs = inputs,
                Data = w,
                Scales = s,
                Bias = new Numbers((byte*)b, WeightFormat.BFloat16),
            };
            float[][] alone = [.. x.Chunk(inputs).Select(row => Apply(matrix, row, threads: 1))];
            foreach (int threads in (int[])[1, 3])
            foreach (int rows in Enumerable.Range(1, 70).Append(257)) // more than one part of a dense matrix
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
            Format = WeightFormat.BFloat16,
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
