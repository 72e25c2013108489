using System.Runtime.InteropServices;
using System.Security.Cryptography;
using GptOss.Kernels;
using GptOss.Kernels.Formats;
using GptOss.Kernels.MatMul;
using GptOss.Tests.Kernels;
using GptOss.Tests.Model;

namespace GptOss.Tests;

/// <summary>What <c>./build.sh widths</c> compares between its legs.</summary>
public sealed class WidthReportTests
{
    [Fact]
    public void Logits_and_kernels_are_hashed_for_the_comparison_of_widths()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string fixture in (string[])["A", "C"])
        {
            using var expected = FixtureTests.Expected(fixture);
            using var model = new LoadedModel(Repository.Vector("oracle", fixture), threads: 2);
            float[][] logits = model.Logits(FixtureTests.Ints(expected, "prompt"));
            foreach (int position in FixtureTests.Ints(expected, "positions"))
                Add(logits[position]);
        }
        using (var tiny = new LoadedModel(TinyGptOss.Folder, threads: 2))
            foreach (float[] row in tiny.Logits(LoadedModel.Prompt(20, tiny.Model.VocabularySize)))
                Add(row);
        using (var fast = new LoadedModel(TinyGptOss.Folder, threads: 2, precision: Precision.Fast))
            foreach (float[] row in fast.Logits(LoadedModel.Prompt(20, fast.Model.VocabularySize)))
                Add(row);
        foreach (int inputs in (int[])[32, 96, 320])
        foreach (int tokens in (int[])[2, 5, 12]) // few, and enough for the strips of one format and of another
            AddKernels(inputs, tokens);

        byte[] bytes = hash.GetHashAndReset();
        Assert.NotEqual(SHA256.HashData([]), bytes);
        WidthTests.Report(Convert.ToHexStringLower(bytes));

        void Add(ReadOnlySpan<float> values)
        {
            Assert.False(values.ContainsAny(float.NaN, float.PositiveInfinity, float.NegativeInfinity));
            hash.AppendData(MemoryMarshal.AsBytes(values));
        }

        void AddKernels(int inputs, int tokens)
        {
            const int Outputs = 19;
            float[] x = Sample.Floats(tokens * inputs, seed: 1),
                y = new float[tokens * Outputs],
                z = new float[inputs];
            ReadOnlySpan<byte> weights = MemoryMarshal.AsBytes(Sample.BFloat16s(Outputs * inputs, seed: 2).AsSpan());
            ByOutput<BFloat16>.Multiply(weights, new Rows(x, inputs), new Rows(y, Outputs), 0);
            Add(y);
            ByInput<BFloat16>.Multiply(
                weights,
                0,
                Outputs,
                new Rows(x, inputs),
                new Rows(y, Outputs),
                new float[ByInput<BFloat16>.ScratchFloats(inputs, tokens)]
            );
            Add(y);
            Mxfp4.Multiply(
                Sample.Bytes(Outputs * inputs / 2, seed: 4),
                Sample.Scales(Outputs * inputs / 32, seed: 5),
                inputs,
                new Rows(Sample.Permuted(x, inputs), Mxfp4.PermutedWidth(inputs)),
                new Rows(y, Outputs),
                0,
                new float[Mxfp4.ScratchFloats(inputs, tokens)]
            );
            Add(y);
            RmsNorm.Row(x.AsSpan(0, inputs), x.AsSpan(inputs, inputs), 1e-5f, z);
            Add(z);
            byte[] halves = Sample.Float16s(Outputs * inputs, seed: 6);
            ByOutput<Float16>.Multiply(halves, new Rows(x, inputs), new Rows(y, Outputs), 0);
            Add(y);
            byte[] bytes = Sample.Q8_0(Outputs * inputs / 32, seed: 7);
            ByOutput<Q8_0>.Multiply(bytes, new Rows(x, inputs), new Rows(y, Outputs), 0);
            Add(y);
            Softmax.Weights(x.AsSpan(0, inputs), 1, 0.7f, z);
            Add(z);
            SwiGlu.Row(x.AsSpan(0, 2 * inputs), 7, z);
            Add(z);
        }
    }
}
