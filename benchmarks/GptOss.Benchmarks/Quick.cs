using System.Diagnostics;
using GptOss.Cli.Bench;
using GptOss.Kernels;
using GptOss.Kernels.Formats;
using GptOss.Kernels.MatMul;
using GptOss.Kernels.Registers;
using GptOss.Threading;

namespace GptOss.Benchmarks;

/// <summary>
/// Figures of the matrix kernels in some seconds, one and two threads: for A/B while working, the best of some tries.
/// </summary>
/// <remarks>
/// A try is a slice of some hundred outputs, short enough to pass between two interruptions of a busy machine. Each try
/// takes the next slice of buffers far larger than any cache, so the weights come from memory, as in a forward pass.
/// </remarks>
internal static unsafe class Quick
{
    private const int Inputs = 2880,
        DenseOutputs = 4096 * 16,
        ExpertOutputs = 5760 * 32,
        MostTokens = 256,
        MostOutputs = 4 * 1536,
        Unit = 96;

    public static void Run()
    {
        var dense = new Weights<ushort>(Inputs * DenseOutputs, random => (ushort)(0x3C00 | random & 0x81FF));
        // Bit 5 of each byte is set, so that every scale is a normal number.
        var panels = new Weights<byte>((int)Int8.Bytes(DenseOutputs, Inputs), random => (byte)(0x20 | random & 0x1F));
        var blocks = new Weights<byte>(Inputs / 2 * ExpertOutputs, random => (byte)random);
        var scales = new Weights<byte>(Inputs / 32 * ExpertOutputs, random => (byte)(119 + random % 8));
        // The scale of a block of GGUF: 2⁻⁸ to 2⁻¹ in MXFP4, and a normal float16 in the others.
        var joined = new Weights<byte>(Inputs / 32 * 17 * ExpertOutputs, random => (byte)(0x70 + random % 8));
        var others = new Weights<byte>(Inputs / 32 * 34 * DenseOutputs, random => (byte)(0x20 | random & 0x1F));
        int width = Math.Max(Mxfp4.PermutedWidth(Inputs), Int8Row.Width(Inputs)),
            scratchFloats = Math.Max(
                Mxfp4.ScratchFloats(Inputs, MostTokens),
                Mxfp4Int8.ScratchFloats(Inputs, MostTokens)
            );
        var x = new Weights<float>(width * MostTokens, _ => 0);
        var y = new Weights<float>(MostOutputs * MostTokens, _ => 0);
        var scratch = new Weights<float>(2 * scratchFloats, _ => 0);
        var call = new Call
        {
            X = x.Pointer,
            Y = y.Pointer,
            Scratch = scratch.Pointer,
            ScratchFloats = scratchFloats,
        };
        StoredWeights asStored = Stored((byte*)dense.Pointer, null, DenseOutputs),
            packed = Stored(panels.Pointer, null, DenseOutputs),
            expert = Stored(blocks.Pointer, scales.Pointer, ExpertOutputs),
            expertOfGguf = Stored(joined.Pointer, null, ExpertOutputs),
            denseOfGguf = Stored(others.Pointer, null, DenseOutputs);
        Console.WriteLine($"lanes {Lanes.Width} bits; G MAC/s, and for one token GB/s of weights");
        Console.WriteLine(
            "threads tokens  plain read        bf16             int8             mxfp4            mxfp4 by int8    "
                + "mxfp4 of gguf    that by int8     q8_0             q5_0             q4_0"
        );
        foreach (int workers in (int[])[1, 2])
        {
            using var team = new WorkerTeam(workers);
            foreach (int tokens in (int[])[1, 2, 4, 32, 256])
            {
                int slice = tokens == 1 ? 1536 : 768; // whole units of every format
                call.Tokens = tokens;
                Console.WriteLine(
                    $"{workers, 7} {tokens, 6} "
                        + (tokens == 1 ? $"{2 * Rate(team, &call, asStored, slice, &Read), 6:F1} GB/s" : "           ")
                        + Figures<ByOutput<BFloat16>>(team, &call, asStored, slice)
                        + Figures<Int8>(team, &call, packed, slice)
                        + Figures<Mxfp4>(team, &call, expert, 4 * slice)
                        + Figures<Mxfp4Int8>(team, &call, expert, 4 * slice)
                        + Figures<Mxfp4Joined<Mxfp4Halves>>(team, &call, expertOfGguf, 4 * slice)
                        + Figures<Mxfp4JoinedInt8<Mxfp4Halves>>(team, &call, expertOfGguf, 4 * slice)
                        + Figures<ByOutput<Q8_0>>(team, &call, denseOfGguf, slice)
                        + Figures<ByOutput<Q5_0>>(team, &call, denseOfGguf, slice)
                        + Figures<ByOutput<Q4_0>>(team, &call, denseOfGguf, slice)
                );
            }
        }
    }

    private static StoredWeights Stored(byte* data, byte* scales, int outputs) =>
        new()
        {
            Outputs = outputs,
            Inputs = Inputs,
            Data = data,
            Scales = scales,
        };

    private static string Figures<TFormat>(WorkerTeam team, Call* call, StoredWeights weights, int slice)
        where TFormat : struct, IMatrixFormat
    {
        float[] x = [.. Enumerable.Range(0, Inputs).Select(i => MathF.Sin(i))];
        call->Width = TFormat.PermutedWidth(Inputs) is > 0 and int width ? width : Inputs;
        for (int t = 0; t < call->Tokens; t++)
            TFormat.Permute(x, new Span<float>(call->X + t * call->Width, call->Width), call->Tokens);
        double rate = Rate(team, call, weights, slice, &Multiply<TFormat>),
            bytes = (double)TFormat.Bytes(96, Inputs) / (96 * Inputs);
        return call->Tokens == 1 ? $"  {rate, 5:F1} {bytes * rate, 5:F1}GB/s" : $"  {rate, 5:F1}          ";
    }

    /// <summary>10⁹ multiply-adds a second in the best of the slices tried in half a second.</summary>
    private static double Rate(
        WorkerTeam team,
        Call* call,
        StoredWeights weights,
        int slice,
        delegate* <void*, int, int, int, void> body
    )
    {
        (call->Weights, call->Slice, call->First) = (weights, slice, 0);
        double best = double.MaxValue;
        long begin = Stopwatch.GetTimestamp();
        for (int tries = 0; tries < 8 || Stopwatch.GetElapsedTime(begin).TotalSeconds < 0.5; tries++)
        {
            long start = Stopwatch.GetTimestamp();
            team.ForItems(slice / Unit, 1, body, call);
            if (tries > 0)
                best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
            call->First = call->First + 2 * slice <= weights.Outputs ? call->First + slice : 0;
        }
        return (double)slice * Inputs * call->Tokens / best / 1e9;
    }

    private static void Multiply<TFormat>(void* state, int worker, int first, int end)
        where TFormat : struct, IMatrixFormat
    {
        var c = (Call*)state;
        var x = new Rows(new(c->X, c->Tokens * c->Width), c->Width);
        var y = new Rows(new(c->Y, c->Tokens * c->Slice), c->Slice);
        var scratch = new Span<float>(c->Scratch + (nint)worker * c->ScratchFloats, c->ScratchFloats);
        TFormat.Multiply(c->SliceOf<TFormat>(), first * Unit, (end - first) * Unit, x, y, scratch);
    }

    private static void Read(void* state, int worker, int first, int end)
    {
        var c = (Call*)state;
        byte* data = c->SliceOf<ByOutput<BFloat16>>().Data + (nint)first * Unit * Inputs * 2;
        c->Y[first] = MemoryRead.Fold(new(data, (end - first) * Unit * Inputs * 2));
    }

    private struct Call
    {
        public StoredWeights Weights;
        public float* X;
        public int Width;
        public float* Y;
        public float* Scratch;
        public int ScratchFloats;
        public int Tokens;
        public int Slice;
        public int First;

        /// <summary>The matrix of the outputs that this try multiplies by.</summary>
        public readonly StoredWeights SliceOf<TFormat>()
            where TFormat : struct, IMatrixFormat
        {
            long scales = Weights.Scales is null ? 0 : (long)First * Inputs / Mxfp4.BlockValues;
            return new()
            {
                Outputs = Slice,
                Inputs = Inputs,
                Data = Weights.Data + TFormat.Bytes(First, Inputs) - scales,
                Scales = Weights.Scales is null ? null : Weights.Scales + scales,
            };
        }
    }
}
