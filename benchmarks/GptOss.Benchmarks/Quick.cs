using System.Diagnostics;
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
        MostOutputs = 4096;

    public static void Run()
    {
        var dense = new Weights<ushort>(Inputs * DenseOutputs, random => (ushort)(0x3C00 | random & 0x81FF));
        // Bit 5 of each byte is set, so that every scale is a normal number.
        var panels = new Weights<byte>((int)Int8.Bytes(DenseOutputs, Inputs), random => (byte)(0x20 | random & 0x1F));
        var blocks = new Weights<byte>(Inputs / 2 * ExpertOutputs, random => (byte)random);
        var scales = new Weights<byte>(Inputs / 32 * ExpertOutputs, random => (byte)(119 + random % 8));
        int width = Math.Max(Mxfp4.PermutedWidth(Inputs), Int8Row.Width(Inputs));
        var x = new Weights<float>(width * MostTokens, _ => 0);
        var y = new Weights<float>(MostOutputs * MostTokens, _ => 0);
        int scratchValues = Math.Max(Mxfp4.ScratchValues(Inputs), Mxfp4Int8.ScratchValues(Inputs, MostTokens));
        var scratch = new Weights<float>(2 * scratchValues, _ => 0);
        var call = new Call
        {
            Dense = dense.Pointer,
            Panels = panels.Pointer,
            Blocks = blocks.Pointer,
            Scales = scales.Pointer,
            X = x.Pointer,
            Y = y.Pointer,
            Scratch = scratch.Pointer,
            ScratchValues = scratchValues,
        };
        Console.WriteLine($"lanes {Lanes.Width} bits; G MAC/s, and for one token GB/s of weights");
        Console.WriteLine(
            "threads tokens  plain read        bf16             int8             mxfp4            mxfp4 by int8"
        );
        foreach (int workers in (int[])[1, 2])
        {
            using var team = new WorkerTeam(workers);
            foreach (int tokens in (int[])[1, 4, 32, 256])
                Print(team, &call, tokens);
        }
    }

    private static void Print(WorkerTeam team, Call* call, int tokens)
    {
        int slice = tokens == 1 ? 1024 : 512;
        string read =
            tokens == 1
                ? $"{2 * Measure(team, call, &Read, DenseOutputs, slice, 1, 0, (_, _) => { }), 6:F1} GB/s"
                : "           ";
        Console.WriteLine(
            $"{team.Workers, 7} {tokens, 6} {read}"
                + Figures(
                    2,
                    Measure(team, call, &MultiplyDense, DenseOutputs, slice, tokens, Inputs, (x, row) => x.CopyTo(row))
                )
                + Figures(
                    17 / 16.0,
                    Measure(
                        team,
                        call,
                        &MultiplyPanels,
                        DenseOutputs,
                        slice,
                        tokens,
                        Int8Row.Width(Inputs),
                        Int8.Quantize
                    )
                )
                + Figures(
                    17 / 32.0,
                    Measure(
                        team,
                        call,
                        &MultiplyExpert,
                        ExpertOutputs,
                        4 * slice,
                        tokens,
                        Mxfp4.PermutedWidth(Inputs),
                        Mxfp4.Permute
                    )
                )
                + Figures(
                    17 / 32.0,
                    Measure(
                        team,
                        call,
                        &MultiplyExpertByInt8,
                        ExpertOutputs,
                        4 * slice,
                        tokens,
                        Int8Row.Width(Inputs),
                        (x, row) => Mxfp4Int8.Quantize(x, row, tokens)
                    )
                )
        );

        string Figures(double bytes, double rate) =>
            tokens == 1 ? $"  {rate, 5:F1} {bytes * rate, 5:F1}GB/s" : $"  {rate, 5:F1}          ";
    }

    private delegate void Preparation(ReadOnlySpan<float> x, Span<float> row);

    /// <summary>10⁹ multiply-adds a second in the best of the slices tried in half a second.</summary>
    private static double Measure(
        WorkerTeam team,
        Call* call,
        delegate* <void*, int, int, int, void> body,
        int outputs,
        int slice,
        int tokens,
        int width,
        Preparation prepare
    )
    {
        (call->Tokens, call->Outputs, call->First) = (tokens, slice, 0);
        Prepare(call, prepare, width);
        double best = double.MaxValue;
        long begin = Stopwatch.GetTimestamp();
        for (int tries = 0; tries < 8 || Stopwatch.GetElapsedTime(begin).TotalSeconds < 0.5; tries++)
        {
            long start = Stopwatch.GetTimestamp();
            team.ForItems(slice, 32, body, call);
            if (tries > 0)
                best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
            call->First = call->First + 2 * slice <= outputs ? call->First + slice : 0;
        }
        return (double)slice * Inputs * tokens / best / 1e9;
    }

    private static void Prepare(Call* call, Preparation prepare, int width)
    {
        call->Width = width;
        float[] x = [.. Enumerable.Range(0, Inputs).Select(i => MathF.Sin(i))];
        for (int t = 0; t < call->Tokens; t++)
            prepare(x, new Span<float>(call->X + t * width, width));
    }

    private struct Call
    {
        public ushort* Dense;
        public byte* Panels;
        public byte* Blocks;
        public byte* Scales;
        public float* X;
        public int Width;
        public float* Y;
        public float* Scratch;
        public int ScratchValues;
        public int Tokens;
        public int Outputs;
        public int First;

        public readonly Rows Activations => new(new(X, Tokens * Width), Width);
        public readonly Rows Results => new(new(Y, Tokens * Outputs), Outputs);

        public readonly Span<float> ScratchOf(int worker) => new(Scratch + (nint)worker * ScratchValues, ScratchValues);
    }

    private static void Read(void* state, int worker, int first, int end)
    {
        var c = (Call*)state;
        c->Y[first] = MemoryRead.Fold(
            new((byte*)(c->Dense + (nint)(c->First + first) * Inputs), (end - first) * Inputs * 2)
        );
    }

    private static void MultiplyDense(void* state, int worker, int first, int end)
    {
        var c = (Call*)state;
        BFloat16.Multiply(
            new(c->Dense + (nint)(c->First + first) * Inputs, (end - first) * Inputs),
            [],
            c->Activations,
            c->Results,
            first
        );
    }

    private static void MultiplyPanels(void* state, int worker, int first, int end)
    {
        var c = (Call*)state;
        first = first / Int8Panel.Rows * Int8Panel.Rows;
        end = end / Int8Panel.Rows * Int8Panel.Rows;
        long bytes = Int8.PanelBytes(Inputs) / Int8Panel.Rows;
        if (end > first)
            Int8.Multiply(
                new(c->Panels + (c->First + first) * bytes, (int)((end - first) * bytes)),
                Inputs,
                [],
                c->Activations,
                c->Results,
                first,
                new Rows(c->ScratchOf(worker)[..(c->Tokens * Int8Panel.Rows)], Int8Panel.Rows)
            );
    }

    private static readonly float[] NoBias = new float[MostOutputs];

    private static void MultiplyExpert(void* state, int worker, int first, int end)
    {
        var c = (Call*)state;
        Mxfp4.Multiply(
            Blocks(c, first, end),
            Scales(c, first, end),
            NoBias.AsSpan(first, end - first),
            c->Activations,
            c->Results,
            first,
            c->ScratchOf(worker)
        );
    }

    private static void MultiplyExpertByInt8(void* state, int worker, int first, int end)
    {
        var c = (Call*)state;
        Mxfp4Int8.Multiply(
            Blocks(c, first, end),
            Scales(c, first, end),
            NoBias.AsSpan(first, end - first),
            c->Activations,
            c->Results,
            first,
            c->ScratchOf(worker)
        );
    }

    private static ReadOnlySpan<byte> Blocks(Call* c, int first, int end) =>
        new(c->Blocks + (nint)(c->First + first) * Inputs / 2, (end - first) * Inputs / 2);

    private static ReadOnlySpan<byte> Scales(Call* c, int first, int end) =>
        new(c->Scales + (nint)(c->First + first) * Inputs / 32, (end - first) * Inputs / 32);
}
