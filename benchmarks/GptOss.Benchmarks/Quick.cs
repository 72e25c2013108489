using System.Diagnostics;
using GptOss.Kernels;
using GptOss.Threading;

namespace GptOss.Benchmarks;

/// <summary>Figures of the matrix kernels in some seconds, one and two threads: for A/B while working, the best of some tries.</summary>
/// <remarks>
/// A try is a slice of some hundred rows, short enough to pass between two interruptions of a busy machine. Each takes the next
/// slice of buffers far larger than any cache, so the weights come from memory, as they do in a forward pass.
/// </remarks>
internal static unsafe class Quick
{
    private const int Columns = 2880, DenseRows = 4096 * 16, ExpertRows = 5760 * 32, MostTokens = 256, MostRows = 4096;
    private static readonly int ArrangedColumns = Mxfp4.ArrangedWidth(Columns);

    public static void Run()
    {
        var dense = new Weights<ushort>(Columns * DenseRows, random => (ushort)(0x3C00 | random & 0x81FF));
        var blocks = new Weights<byte>(Columns / 2 * ExpertRows, random => (byte)random);
        var scales = new Weights<byte>(Columns / 32 * ExpertRows, random => (byte)(119 + random % 8));
        var x = new Weights<float>(ArrangedColumns * MostTokens, random => (random & 0xFFFF) / 65536f - 0.5f);
        var y = new Weights<float>(MostRows * MostTokens, _ => 0);
        var scratch = new Weights<float>(2 * Mxfp4.ScratchValues(Columns), _ => 0);
        var call = new Call
        {
            Dense = dense.Pointer,
            Blocks = blocks.Pointer,
            Scales = scales.Pointer,
            X = x.Pointer,
            Y = y.Pointer,
            Scratch = scratch.Pointer,
        };
        Console.WriteLine($"lanes {Lanes.Width} bits");
        foreach (int workers in (int[])[1, 2])
        {
            using var team = new WorkerTeam(workers);
            Print(team, &call);
        }
    }

    private static void Print(WorkerTeam team, Call* call)
    {
        string threads = $"{team.Workers} thread(s)";
        double read = Measure(team, call, &Read, DenseRows, slice: 1024, tokens: 1);
        double dense = Measure(team, call, &MultiplyDense, DenseRows, slice: 1024, tokens: 1);
        double expert = Measure(team, call, &MultiplyExpert, ExpertRows, slice: 4096, tokens: 1);
        Console.WriteLine(
            $"{threads}    1 token   bf16 {2 * dense,6:F1}  mxfp4 {17 / 32.0 * expert,6:F1}  plain read {2 * read,6:F1} GB/s");
        foreach (int tokens in (int[])[4, 32, 256])
        {
            dense = Measure(team, call, &MultiplyDense, DenseRows, slice: 512, tokens);
            expert = Measure(team, call, &MultiplyExpert, ExpertRows, slice: 512, tokens);
            Console.WriteLine($"{threads}  {tokens,3} tokens  bf16 {dense,6:F1}  mxfp4 {expert,6:F1} G MAC/s");
        }
    }

    /// <summary>10⁹ multiply-adds a second in the best of the slices tried in half a second.</summary>
    private static double Measure(
        WorkerTeam team, Call* call, delegate*<void*, int, int, int, void> body, int rows, int slice, int tokens)
    {
        (call->Tokens, call->Rows, call->First) = (tokens, slice, 0);
        double best = double.MaxValue;
        long begin = Stopwatch.GetTimestamp();
        for (int tries = 0; tries < 8 || Stopwatch.GetElapsedTime(begin).TotalSeconds < 0.5; tries++)
        {
            long start = Stopwatch.GetTimestamp();
            team.ForRows(slice, 32, body, call);
            if (tries > 0) best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
            call->First = call->First + 2 * slice <= rows ? call->First + slice : 0;
        }
        return (double)slice * Columns * tokens / best / 1e9;
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
        public int First;
    }

    private static void Read(void* state, int worker, int first, int end)
    {
        var c = (Call*)state;
        c->Y[first] = PlainRead.Sum((byte*)(c->Dense + (nint)(c->First + first) * Columns), (nint)(end - first) * Columns * 2);
    }

    private static void MultiplyDense(void* state, int worker, int first, int end)
    {
        var c = (Call*)state;
        BFloat16.Multiply(new(c->Dense + (nint)(c->First + first) * Columns, (end - first) * Columns), [],
            new Rows(new(c->X, c->Tokens * Columns), Columns), new Rows(new(c->Y, c->Tokens * c->Rows), c->Rows), first);
    }

    private static readonly ushort[] NoBias = new ushort[MostRows];

    private static void MultiplyExpert(void* state, int worker, int first, int end)
    {
        var c = (Call*)state;
        int rowBlocks = Columns / Mxfp4.BlockValues, scratch = Mxfp4.ScratchValues(Columns);
        Mxfp4.Multiply(
            new(c->Blocks + (nint)(c->First + first) * Columns / 2, (end - first) * Columns / 2),
            new(c->Scales + (nint)(c->First + first) * rowBlocks, (end - first) * rowBlocks), NoBias.AsSpan(first, end - first),
            new Rows(new(c->X, c->Tokens * ArrangedColumns), ArrangedColumns),
            new Rows(new(c->Y, c->Tokens * c->Rows), c->Rows), first, new(c->Scratch + worker * scratch, scratch));
    }
}
