using System.Runtime.InteropServices;
using System.Security.Cryptography;
using GptOss.Kernels;
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
            AddKernels(inputs);

        byte[] bytes = hash.GetHashAndReset();
        Assert.NotEqual(SHA256.HashData([]), bytes);
        WidthTests.Report(Convert.ToHexStringLower(bytes));

        void Add(ReadOnlySpan<float> values)
        {
            Assert.False(values.ContainsAny(float.NaN, float.PositiveInfinity, float.NegativeInfinity));
            hash.AppendData(MemoryMarshal.AsBytes(values));
        }

        void AddKernels(int inputs)
        {
            const int Outputs = 19,
                Tokens = 5;
            float[] x = Sample.Floats(Tokens * inputs, seed: 1),
                y = new float[Tokens * Outputs],
                z = new float[inputs];
            ushort[] weights = Sample.BFloat16s(Outputs * inputs, seed: 2);
            float[] bias = Sample.Floats(Outputs, seed: 3);
            BFloat16.Multiply(weights, bias, new Rows(x, inputs), new Rows(y, Outputs), 0);
            Add(y);
            BFloat16ByInput.Multiply(weights, bias, new Rows(x, inputs), new Rows(y, Outputs), 0);
            Add(y);
            Mxfp4.Multiply(
                Sample.Bytes(Outputs * inputs / 2, seed: 4),
                Sample.Scales(Outputs * inputs / 32, seed: 5),
                bias,
                new Rows(Sample.Permuted(x, inputs), Mxfp4.PermutedWidth(inputs)),
                new Rows(y, Outputs),
                0,
                new float[Mxfp4.ScratchValues(inputs)]
            );
            Add(y);
            RmsNorm.Row(x.AsSpan(0, inputs), x.AsSpan(inputs, inputs), 1e-5f, z);
            Add(z);
            NumberFormats.Widen(Sample.Float16s(inputs, seed: 6), NumberFormat.Float16, z);
            for (int output = 0; output < Outputs; output++)
                PlainRow.Multiply(z, bias.AsSpan(output, 1), new Rows(x, inputs), new Rows(y, Outputs), output);
            Add(y);
            Add(z);
            Softmax.Weights(x.AsSpan(0, inputs), 1, 0.7f, z);
            Add(z);
            SwiGlu.Row(x.AsSpan(0, 2 * inputs), 7, z);
            Add(z);
        }
    }
}
