using GptOss.Kernels;
using GptOss.Kernels.Formats;
using GptOss.Kernels.MatMul;

namespace GptOss.Tests.Kernels;

/// <summary>
/// Weights that are the last bytes of a mapped file, behind which a page without access lies, in every format and
/// layout.
/// </summary>
[Promise(25)]
public sealed unsafe class EndOfFileTests
{
    private const int Inputs = 256;

    public static IEnumerable<TheoryDataRow<string, bool>> FormatsAndLayouts =>
        from format in Enum.GetValues<WeightFormat>()
        from byInput in (bool[])[false, true]
        where !byInput || format.IsOfNumbers
        select new TheoryDataRow<string, bool>($"{format}", byInput);

    [Theory, MemberData(nameof(FormatsAndLayouts))]
    public void A_product_and_a_row_have_the_bits_that_they_have_elsewhere(string name, bool byInput)
    {
        WeightFormat format = Enum.Parse<WeightFormat>(name);
        MatrixLayout layout = byInput ? MatrixLayout.ByInput : MatrixLayout.ByOutput;
        int outputs = byInput ? 256 : 37;
        bool isApart = format is WeightFormat.Mxfp4 or WeightFormat.Mxfp4Int8;
        int scaleBytes = isApart ? outputs * Inputs / 32 : 0;
        // No float has an exponent whose bits are all set.
        byte[] bytes = Array.ConvertAll(Sample.Bytes((int)format.Bytes(outputs, Inputs) - scaleBytes, seed: 1), value =>
            (byte)(value & 0b1011_1011)
        );
        byte[] scales = Sample.Scales(scaleBytes, seed: 2);
        float[] x = Sample.Floats(12 * Inputs, seed: 3);
        using var weightsAtEnd = new EndOfFile(bytes);
        using var scalesAtEnd = new EndOfFile(scales);

        fixed (
            byte* data = bytes,
                scale = scales
        )
            foreach (int tokens in (int[])[1, 3, 12])
            {
                float[] expected = new float[tokens * outputs],
                    y = new float[tokens * outputs],
                    expectedRow = new float[Inputs],
                    row = new float[Inputs];
                Multiply(data, scale, expected, expectedRow);
                Multiply(weightsAtEnd.Data, scalesAtEnd.Data, y, row);
                Assert.All(expected, value => Assert.True(float.IsFinite(value)));
                Sample.AssertSameBits(expected, y, $"{tokens} tokens");
                Sample.AssertSameBits(expectedRow, row, "the last output");

                void Multiply(byte* weights, byte* scales, float[] result, float[] lastOutput)
                {
                    var w = new StoredWeights
                    {
                        Outputs = outputs,
                        Inputs = Inputs,
                        Data = weights,
                        Scales = isApart ? scales : null,
                    };
                    var product = new WholeProduct(w, x.AsSpan(0, tokens * Inputs), result);
                    WeightFormats.Run(format, layout, ref product);
                    format.Widen(in w, outputs - 1, lastOutput, layout);
                }
            }
    }

    /// <summary>Multiplies some tokens by a whole matrix.</summary>
    private readonly ref struct WholeProduct(StoredWeights w, ReadOnlySpan<float> x, Span<float> y) : IMatrixKernel
    {
        private readonly StoredWeights _w = w;
        private readonly ReadOnlySpan<float> _x = x;
        private readonly Span<float> _y = y;

        public void Run<TFormat>()
            where TFormat : struct, IMatrixFormat
        {
            int tokens = _x.Length / _w.Inputs,
                width = TFormat.PermutedWidth(_w.Inputs) is > 0 and int permutedWidth ? permutedWidth : _w.Inputs;
            float[] permuted = new float[tokens * width];
            for (int t = 0; t < tokens; t++)
                TFormat.Permute(_x.Slice(t * _w.Inputs, _w.Inputs), permuted.AsSpan(t * width, width), tokens);
            TFormat.Multiply(
                in _w,
                0,
                _w.Outputs,
                new Rows(permuted, width),
                new Rows(_y, _w.Outputs),
                new float[TFormat.ScratchFloats(_w.Inputs, tokens)]
            );
        }
    }

    /// <summary>Bytes as the last of a file of whole pages, mapped before a page without access.</summary>
    private sealed class EndOfFile : IDisposable
    {
        private readonly byte* _start;
        private readonly nuint _reserved;

        public EndOfFile(byte[] bytes)
        {
            Assert.SkipUnless(
                OperatingSystem.IsLinux() && Environment.Is64BitProcess,
                "pages are placed by Linux's mmap"
            );
            int page = Environment.SystemPageSize,
                pages = (bytes.Length + page) / page * page;
            _reserved = (nuint)(pages + page);
            string path = Path.GetTempFileName();
            try
            {
                File.WriteAllBytes(path, [.. new byte[pages - bytes.Length], .. bytes]);
                using var file = File.OpenHandle(path);
                // No access; private, anonymous. Then to be read; private, at this address.
                _start = (byte*)Native.Map(null, _reserved, protection: 0, flags: 0x22, file: -1, offset: 0);
                Assert.NotEqual(-1, (nint)_start);
                int descriptor = (int)file.DangerousGetHandle();
                Assert.Equal(
                    (nint)_start,
                    (nint)Native.Map(_start, (nuint)pages, protection: 1, flags: 0x12, descriptor, offset: 0)
                );
            }
            finally
            {
                File.Delete(path);
            }
            Data = _start + pages - bytes.Length;
        }

        public byte* Data { get; }

        public void Dispose() => _ = Native.Unmap(_start, _reserved);
    }
}
