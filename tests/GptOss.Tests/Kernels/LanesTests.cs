// Over 300 lines: every operation of the sixteen lanes is held to its definition, one after the other.
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using GptOss.Kernels.Formats;
using GptOss.Kernels.Registers;

namespace GptOss.Tests.Kernels;

public class LanesTests
{
    private static readonly float[] Special =
    [
        0f,
        -0f,
        1f,
        -1f,
        float.Epsilon,
        -float.Epsilon,
        float.MaxValue,
        float.MinValue,
        float.PositiveInfinity,
        float.NegativeInfinity,
        1e-38f,
        -1e-38f,
        0.1f,
        -3f,
        65504f,
        1.17549435e-38f,
    ];

    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void Arithmetic_is_that_of_single_floats(int width)
    {
        for (int turn = 0; turn < 200; turn++)
        {
            // The special values meet each other in every pairing of a rotation, then random ones.
            float[] a = turn < 16 ? Special : Sample.Floats(16, seed: turn);
            float[] b = turn < 16 ? [.. Special[turn..], .. Special[..turn]] : Sample.Floats(16, seed: 1000 + turn);
            float[] c = Sample.Floats(16, seed: 2000 + turn),
                y = new float[6 * 16],
                expected = new float[6 * 16];
            for (int i = 0; i < 16; i++)
            {
                expected[i] = MathF.FusedMultiplyAdd(a[i], b[i], c[i]);
                expected[16 + i] = a[i] + b[i];
                expected[32 + i] = a[i] - b[i];
                expected[48 + i] = a[i] * b[i];
                expected[64 + i] = a[i] / b[i];
                expected[80 + i] = a[i] < b[i] ? c[i] : b[i];
            }

            Registers.Run(width, new Arithmetic(a, b, c, y));

            for (int i = 0; i < y.Length; i++)
                if (float.IsNaN(expected[i]))
                    Assert.True(float.IsNaN(y[i]), $"turn {turn}, value {i}"); // the bits of a NaN are nobody's promise
                else
                    Sample.AssertSameBits([expected[i]], [y[i]], $"turn {turn}, value {i}");
        }
    }

    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void Less_with_a_NaN_on_either_side_chooses_no(int width)
    {
        var nan = new float[16];
        Array.Fill(nan, float.NaN);
        float[] ones = new float[16],
            y = new float[32];
        Array.Fill(ones, 1f);

        Registers.Run(width, new Less(nan, ones, y));

        Assert.All(y, value => Assert.Equal(-7f, value));
    }

    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void The_sum_is_the_tree_of_eight_four_two_one(int width)
    {
        for (int turn = 0; turn < 100; turn++)
        {
            float[] a = Sample.Floats(16, seed: turn),
                tree = [.. a],
                y = new float[1];
            for (int half = 8; half > 0; half /= 2)
            for (int i = 0; i < half; i++)
                tree[i] = tree[i] + tree[i + half];

            Registers.Run(width, new Total(a, y));

            Sample.AssertSameBits([tree[0]], y, $"turn {turn}");
        }
    }

    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void The_largest_lane_is_found_in_every_place(int width)
    {
        for (int lane = 0; lane < 16; lane++)
            foreach (float most in (float[])[2f, float.PositiveInfinity, -3f])
            {
                float[] a = Sample.Floats(16, seed: lane),
                    y = new float[1];
                if (most < 0)
                    Array.Fill(a, float.NegativeInfinity);
                a[lane] = most;

                Registers.Run(width, new Largest(a, y));

                Assert.Equal(most, y[0]);
            }
    }

    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void Signed_bytes_widen_to_the_floats_of_their_value(int width)
    {
        sbyte[] bytes = [.. Enumerable.Range(-128, 256).Select(value => (sbyte)value)];
        using var guarded = new GuardedMemory<sbyte>(bytes);
        var y = new float[256];

        Registers.Run(width, new Widening(guarded.Span, y));

        Assert.Equal(Array.ConvertAll(bytes, value => (float)value), y);
    }

    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void Powers_of_two_cover_every_normal_exponent(int width)
    {
        for (int n = -126; n <= 127 - 15; n++)
        {
            var shifted = new float[16];
            var y = new float[16];
            for (int i = 0; i < 16; i++)
                shifted[i] = n + i + 12582912f;

            Registers.Run(width, new Power(shifted, y));

            for (int i = 0; i < 16; i++)
                Assert.Equal(Math.ScaleB(1, n + i), y[i]);
        }
    }

    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void Codes_and_scales_of_a_step_land_in_their_lanes(int width)
    {
        for (int blocks = 1; blocks <= 4; blocks++)
        for (int turn = 0; turn < 64; turn++)
        {
            byte[] bytes = Sample.Bytes(blocks * 16, seed: turn);
            uint scales = BitConverter.ToUInt32([
                (byte)(4 * turn),
                (byte)(4 * turn + 1),
                (byte)(4 * turn + 2),
                (byte)(4 * turn + 3),
            ]);
            var y = new float[9 * 16];
            using var guarded = new GuardedMemory<byte>(bytes);

            Registers.Run(width, new Step(guarded.Span, blocks, scales, y));

            for (int lane = 0; lane < 16; lane++)
            {
                for (int j = 0; j < 8; j++)
                {
                    int code = lane < 4 * blocks ? bytes[4 * lane + j / 2] >> (j % 2 * 4) & 0xF : 0;
                    Sample.AssertSameBits(
                        [Mxfp4.Value(code)],
                        [y[j * 16 + lane]],
                        $"{blocks} blocks, lane {lane}, code {j}"
                    );
                }
                Assert.Equal(Mxfp4.Scale((byte)(4 * turn + lane / 4)), y[128 + lane]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void A_bfloat16_is_the_upper_half_of_its_float_and_a_part_is_padded_with_zeros(int width)
    {
        ushort[] bits = Sample.BFloat16s(16, seed: 1);
        for (int count = 0; count <= 16; count++)
        {
            var y = new float[32];
            Registers.Run(width, new Part(bits, count, y));
            for (int i = 0; i < 16; i++)
            {
                float value = BitConverter.UInt32BitsToSingle((uint)bits[i] << 16);
                Assert.Equal(value, y[i]);
                Assert.Equal(i < count ? value : 0, y[16 + i]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void A_product_with_floats_from_memory_is_that_with_loaded_ones(int width)
    {
        float[] a = Sample.Floats(16, seed: 1),
            c = Sample.Floats(16, seed: 2),
            y = new float[16];
        using var b = new GuardedMemory<float>(Sample.Floats(19, seed: 3));

        Registers.Run(width, new FromMemory(a, b.Span, c, y));

        for (int i = 0; i < 16; i++)
            Sample.AssertSameBits([MathF.FusedMultiplyAdd(a[i], b.Span[3 + i], c[i])], [y[i]], $"lane {i}");
    }

    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void Lanes_and_bytes_are_moved_to_their_places(int width)
    {
        const int stride = 17;
        uint[] bits = MemoryMarshal.Cast<byte, uint>(Sample.Bytes(4 * 64, seed: 1)).ToArray(),
            y = new uint[6 * 16];
        byte[] apart = Sample.Bytes(1 + 3 * stride + 16, seed: 2);
        using var guarded = new GuardedMemory<byte>(apart);

        Registers.Run(width, new Moves(bits, guarded.Span, stride, MemoryMarshal.Cast<uint, float>(y.AsSpan())));

        for (int lane = 0; lane < 16; lane++)
        {
            int part = lane / 4 * 4,
                place = lane % 4;
            int pick = (place < 2 ? 0 : 16) + part + place % 2 * 2; // of the first register, or of the second
            Assert.Equal(bits[pick], y[lane]);
            Assert.Equal(bits[pick + 1], y[16 + lane]);
            Assert.Equal(bits[16 * place + lane], y[32 + lane]);
            Assert.Equal(bits[lane] & 0xFF00_00FF | bits[16 + lane] & 0x00FF_FF00, y[48 + lane]);
            Assert.Equal(BitConverter.ToUInt32(apart, 1 + lane / 4 * stride + 4 * place), y[64 + lane]);
            Assert.Equal(bits[place], y[80 + lane]);
        }
    }

    private readonly ref struct FromMemory(float[] a, Span<float> b, float[] c, float[] y) : ILaneKernel
    {
        private readonly Span<float> _b = b;
        private readonly float[] _a = a,
            _c = c,
            _y = y;

        public void Run<T>()
            where T : struct, ILanes<T> =>
            T.Store(T.MultiplyAdd(T.Load(in _a[0], 0), in _b[0], 3, T.Load(in _c[0], 0)), ref _y[0], 0);
    }

    private readonly ref struct Moves(uint[] bits, Span<byte> apart, int stride, Span<float> y) : ILaneKernel
    {
        private readonly ReadOnlySpan<float> _bits = MemoryMarshal.Cast<uint, float>(bits);
        private readonly Span<byte> _apart = apart;
        private readonly int _stride = stride;
        private readonly Span<float> _y = y;

        public void Run<T>()
            where T : struct, ILanes<T>
        {
            T a = T.Load(in _bits[0], 0),
                b = T.Load(in _bits[0], 16),
                c = T.Load(in _bits[0], 32),
                d = T.Load(in _bits[0], 48);
            T.Store(T.EvenLanes(a, b), ref _y[0], 0);
            T.Store(T.OddLanes(a, b), ref _y[0], 16);
            T.Store(T.EveryFourth(a, b, c, d), ref _y[0], 32);
            T.Store(T.SelectBytes(T.CreateBits(0xFF00_00FF), a, b), ref _y[0], 48);
            T.Store(T.LoadBits(in _apart[0], 1, (nuint)_stride), ref _y[0], 64);
            T.Store(T.CreateBits(Vector128.LoadUnsafe(in _bits[0]).AsByte()), ref _y[0], 80);
        }
    }

    private readonly ref struct Arithmetic(float[] a, float[] b, float[] c, float[] y) : ILaneKernel
    {
        private readonly float[] _a = a,
            _b = b,
            _c = c,
            _y = y;

        public void Run<T>()
            where T : struct, ILanes<T>
        {
            T a = T.Load(in _a[0], 0),
                b = T.Load(in _b[0], 0),
                c = T.Load(in _c[0], 0);
            T.Store(T.MultiplyAdd(a, b, c), ref _y[0], 0);
            T.Store(a + b, ref _y[0], 16);
            T.Store(a - b, ref _y[0], 32);
            T.Store(a * b, ref _y[0], 48);
            T.Store(a / b, ref _y[0], 64);
            T.Store(T.WhereLess(a, b, c, b), ref _y[0], 80);
        }
    }

    private readonly ref struct Less(float[] a, float[] b, float[] y) : ILaneKernel
    {
        private readonly float[] _a = a,
            _b = b,
            _y = y;

        public void Run<T>()
            where T : struct, ILanes<T>
        {
            T a = T.Load(in _a[0], 0),
                b = T.Load(in _b[0], 0),
                no = T.Create(-7f);
            T.Store(T.WhereLess(a, b, T.Zero, no), ref _y[0], 0);
            T.Store(T.WhereLess(b, a, T.Zero, no), ref _y[0], 16);
        }
    }

    private readonly ref struct Total(float[] a, float[] y) : ILaneKernel
    {
        private readonly float[] _a = a,
            _y = y;

        public void Run<T>()
            where T : struct, ILanes<T> => _y[0] = T.Sum(T.Load(in _a[0], 0));
    }

    private readonly ref struct Largest(float[] a, float[] y) : ILaneKernel
    {
        private readonly float[] _a = a,
            _y = y;

        public void Run<T>()
            where T : struct, ILanes<T> => _y[0] = T.Max(T.Load(in _a[0], 0));
    }

    private readonly ref struct Widening(Span<sbyte> bytes, float[] y) : ILaneKernel
    {
        private readonly Span<sbyte> _bytes = bytes;
        private readonly float[] _y = y;

        public void Run<T>()
            where T : struct, ILanes<T>
        {
            for (nuint i = 0; i < (nuint)_y.Length; i += 16)
                T.Store(T.LoadSByte(in _bytes[0], i), ref _y[0], i);
        }
    }

    private readonly ref struct Power(float[] shifted, float[] y) : ILaneKernel
    {
        private readonly float[] _shifted = shifted,
            _y = y;

        public void Run<T>()
            where T : struct, ILanes<T> => T.Store(T.PowerOfTwo(T.Load(in _shifted[0], 0)), ref _y[0], 0);
    }

    private readonly ref struct Step(Span<byte> bytes, int blocks, uint scales, float[] y) : ILaneKernel
    {
        private readonly Span<byte> _bytes = bytes;
        private readonly int _blocks = blocks;
        private readonly uint _scales = scales;
        private readonly float[] _y = y;

        public void Run<T>()
            where T : struct, ILanes<T>
        {
            T first,
                second;
            if (_blocks == 4)
                Mxfp4Blocks<Mxfp4Apart>.Four(in _bytes[0], out first, out second);
            else
                Mxfp4Blocks<Mxfp4Apart>.Rest(in _bytes[0], _blocks, out first, out second);
            Mxfp4Lanes.Decode(first, out T a0, out T a1);
            Mxfp4Lanes.Decode(second, out T b0, out T b1);
            for (int j = 0; j < 8; j++)
                T.Store(Mxfp4Lanes.Values<T, Mxfp4Apart>(j, a0, a1, b0, b1), ref _y[0], (nuint)(16 * j));
            T.Store(Mxfp4Lanes.FourScales(T.CreateBits(_scales)), ref _y[0], 128);
        }
    }

    private readonly ref struct Part(ushort[] bits, int count, float[] y) : ILaneKernel
    {
        private readonly ushort[] _bits = bits;
        private readonly int _count = count;
        private readonly float[] _y = y;

        public void Run<T>()
            where T : struct, ILanes<T>
        {
            T all = T.LoadBFloat16(in _bits[0], 0);
            T.Store(all, ref _y[0], 0);
            Span<float> wide = stackalloc float[16];
            T.Store(all, ref wide[0], 0);
            Lanes.StorePartial(Lanes.LoadPartial<T>(wide, _count), _y.AsSpan(16, _count));
        }
    }
}
