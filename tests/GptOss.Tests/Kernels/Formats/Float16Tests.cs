using System.Runtime.InteropServices;
using GptOss.Kernels.Formats;
using GptOss.Kernels.MatMul;
using GptOss.Kernels.Registers;

namespace GptOss.Tests.Kernels.Formats;

public class Float16Tests
{
    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void Each_of_the_65_536_numbers_widens_to_its_value(int width)
    {
        ushort[] all = [.. Enumerable.Range(0, 65_536).Select(bits => (ushort)bits)];
        var y = new float[all.Length];

        Registers.Run(width, new Load(MemoryMarshal.AsBytes(all.AsSpan()), y));

        for (int i = 0; i < all.Length; i++)
        {
            float expected = (float)BitConverter.UInt16BitsToHalf(all[i]);
            if (float.IsNaN(expected))
                Assert.True(float.IsNaN(y[i]), $"{i:X4}"); // the bits of a NaN are nobody's promise
            else
                Sample.AssertSameBits([expected], [y[i]], $"{i:X4}");
        }
    }

    [Fact]
    public void A_row_whose_end_fills_no_register_is_widened_too()
    {
        byte[] row = Sample.Float16s(37, seed: 1);
        var y = new float[37];

        ByOutput<Float16>.Widen(row, y);

        Sample.AssertSameBits(
            [.. Enumerable.Range(0, 37).Select(i => (float)BitConverter.ToHalf(row, 2 * i))],
            y,
            "37"
        );
    }

    private readonly ref struct Load(ReadOnlySpan<byte> row, float[] y) : ILaneKernel
    {
        private readonly ReadOnlySpan<byte> _row = row;
        private readonly float[] _y = y;

        public void Run<T>()
            where T : struct, ILanes<T>
        {
            for (int i = 0; i < _y.Length; i += 16)
                T.Store(Float16.Load<T>(in _row[0], (nuint)i), ref _y[0], (nuint)i);
        }
    }
}
