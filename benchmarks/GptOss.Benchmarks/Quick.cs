using System.Diagnostics;
using GptOss.Kernels;
using GptOss.Threading;

namespace GptOss.Benchmarks;

/// <summary>Figures of the matrix kernels in some seconds, one and two threads: for A/B while working, the best of some tries.</summary>
/// <remarks>Decode walks a buffer far larger than any cache; prefill runs one matrix of the model over and over.</remarks>
internal static unsafe class Quick
{
    private const int Columns = 2880, DenseRows = 4096, ExpertRows = 5760, Dense = 16, Experts = 32, MostTokens = 256;
    private static readonly int ArrangedColumns = Mxfp4.ArrangedWidth(Columns);

    public static void Run()
    {
        var dense = new Weights<ushort>(Columns * DenseRows * Dense, random => (ushort)(0x3C00 | random & 0x81FF));
        var blocks = new Weights<byte>(Columns / 2 * ExpertRows * Experts, random => (byte)random);
        var scales = new Weights<byte>(Columns / 32 * ExpertRows * Experts, random => (byte)(119 + random % 8));
        var x = new Weights<float>(ArrangedColumns * MostTokens, random => (random & 0xFFFF) / 65536f - 0.5f);
        var y = new Weights<float>(ExpertRows * MostTokens, _ => 0);
        var scratch = new Weights<float>(2 * Mxfp4.ScratchValues(Columns), _ => 0);
        var call = new Call
        {
            Dense = dense.Pointer, Blocks = blocks.Pointer, Scales = scales.Pointer,
            X = x.Pointer, Y = y.Pointer, Scratch = scratch.Pointer,
        };
        Console.WriteLine($"lanes {Lanes.Width} bits");
        foreach (int workers in (int[])[1, 2])
        {
            using var team = new WorkerTeam(workers);
            Decode("read", &Read, DenseRows * Dense, 2.0 * Columns * DenseRows * Dense);
            Decode("bf16", &MultiplyDense, DenseRows * Dense, 2.0 * Columns * DenseRows * Dense);
            Decode("mxfp4", &MultiplyExpert, ExpertRows * Experts, 17 / 32.0 * Columns * ExpertRows * Experts);
            foreach (int tokens in (int[])[4, 32, 256])
            {
                Prefill("bf16", &MultiplyDense, DenseRows, tokens);
                Prefill("mxfp4", &MultiplyExpert, ExpertRows, tokens);
            }

            void Decode(string name, delegate*<void*, int, int, int, void> body, int rows, double bytes)
            {
                call.Tokens = 1;
                call.Rows = rows;
                double seconds = Best(team, rows, 32, body, ref call, tries: 5);
                Console.WriteLine($"{workers} thread(s)  {name,-5}  1 token      {bytes / seconds / 1e9,6:F1} GB/s");
            }

            void Prefill(string name, delegate*<void*, int, int, int, void> body, int rows, int tokens)
            {
                call.Tokens = tokens;
                call.Rows = rows;
                double seconds = Best(team, rows, 64, body, ref call, tries: 5);
                Console.WriteLine(
                    $"{workers} thread(s)  {name,-5}  {tokens,3} tokens   {(double)rows * Columns * tokens / seconds / 1e9,6:F1} G MAC/s");
            }
        }
    }

    // The first try warms up; the others' least time is what the machine does undisturbed.
    private static double Best(
        WorkerTeam team, int rows, int minimum, delegate*<void*, int, int, int, void> body, ref Call call, int tries)
    {
        double best = double.MaxValue;
        fixed (Call* state = &call)
            for (int i = 0; i <= tries; i++)
            {
                long start = Stopwatch.GetTimestamp();
                team.ForRows(rows, minimum, body, state);
                if (i > 0) best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
        return best;
    }

    private struct Call
    {
        public ushort* Dense;
        public byte* Blocks;
        public byte* Scales;
        public float* X;
        public float* Y;
        public float* Scratch;
        public int Tokens;
        public int Rows;
    }

    private static void Read(void* state, int worker, int first, int end)
    {
        var c = (Call*)state;
        c->Y[first] = PlainRead.Sum((byte*)(c->Dense + (nint)first * Columns), (nint)(end - first) * Columns * 2);
    }

    private static void MultiplyDense(void* state, int worker, int first, int end)
    {
        var c = (Call*)state;
        BFloat16.Multiply(new(c->Dense + (nint)first * Columns, (end - first) * Columns), [],
            new Rows(new(c->X, c->Tokens * Columns), Columns), new Rows(new(c->Y, c->Tokens * c->Rows), c->Rows), first);
    }

    private static readonly ushort[] NoBias = new ushort[ExpertRows * Experts];

    private static void MultiplyExpert(void* state, int worker, int first, int end)
    {
        var c = (Call*)state;
        int rowBlocks = Columns / Mxfp4.BlockValues, scratch = Mxfp4.ScratchValues(Columns);
        Mxfp4.Multiply(
            new(c->Blocks + (nint)first * Columns / 2, (end - first) * Columns / 2),
            new(c->Scales + (nint)first * rowBlocks, (end - first) * rowBlocks), NoBias.AsSpan(first, end - first),
            new Rows(new(c->X, c->Tokens * ArrangedColumns), ArrangedColumns),
            new Rows(new(c->Y, c->Tokens * c->Rows), c->Rows), first, new(c->Scratch + worker * scratch, scratch));
    }
}
