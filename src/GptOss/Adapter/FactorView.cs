using GptOss.Checkpoint;

namespace GptOss.Adapter;

/// <summary>
/// One factor of one matrix, [rank, width], somewhere in a tensor: value (k, i) is element
/// <c>First + k · RankStep + i · Step</c>. So every form of adapter, whatever it stacks or swaps, is read in one way.
/// </summary>
/// <param name="Tensor">The tensor that holds the factor.</param>
/// <param name="Rank">Number of values between the two products.</param>
/// <param name="Width">Inputs of the matrix, or its outputs.</param>
/// <param name="First">Index of the first value.</param>
/// <param name="RankStep">From one of the rank to the next, in values.</param>
/// <param name="Step">From one input or output to the next, in values.</param>
internal readonly record struct FactorView(Tensor Tensor, int Rank, int Width, long First, long RankStep, long Step)
{
    /// <summary>Where the values lie: views of one place with the same sizes have the same values.</summary>
    // Bound: the address is compared and never read.
    public unsafe (nint, long, long, long) Place => ((nint)Tensor.Data, First, RankStep, Step);

    /// <summary>A tensor of shape [rank, width] from an element on.</summary>
    public static FactorView ByRank(Tensor tensor, int rank, int width, long first = 0) =>
        new(tensor, rank, width, first, width, 1);

    /// <summary>A tensor of shape [width, rank] from an element on.</summary>
    public static FactorView ByWidth(Tensor tensor, int rank, int width, long first = 0) =>
        new(tensor, rank, width, first, 1, rank);

    /// <summary>Every second input or output: the gate's from 0 on, up's from 1 on.</summary>
    public FactorView EverySecond(int from) =>
        this with
        {
            Width = Width / 2,
            First = First + from * Step,
            Step = 2 * Step,
        };

    /// <summary>Copies the values of one of the rank as they are.</summary>
    /// <param name="k">Which one of the rank.</param>
    /// <param name="destination">Where the first value goes.</param>
    /// <param name="stepBytes">From one value to the next, in bytes.</param>
    // Bound: the view lies within its tensor, whose shape LoraForms has checked; the destination is
    // DeltaMemory.Stacked's.
    public unsafe void CopyTo(int k, byte* destination, long stepBytes)
    {
        int size = Tensor.DType.BlockBytes();
        byte* from = Tensor.Data + (First + k * RankStep) * size;
        if (Step == 1 && stepBytes == size)
        {
            Buffer.MemoryCopy(from, destination, (long)Width * size, (long)Width * size);
            return;
        }
        for (int i = 0; i < Width; i++, from += Step * size, destination += stepBytes)
        for (int b = 0; b < size; b++)
            destination[b] = from[b];
    }

    /// <summary>Gives the values of one of the rank as float32, which rounds nothing.</summary>
    /// <param name="k">Which one of the rank.</param>
    /// <param name="destination">Where the first value goes.</param>
    /// <param name="stepBytes">From one value to the next, in bytes.</param>
    // Bound: the view lies within its tensor, whose shape LoraForms has checked; the destination is
    // DeltaMemory.Stacked's.
    public unsafe void WidenTo(int k, byte* destination, long stepBytes)
    {
        for (int i = 0; i < Width; i++, destination += stepBytes)
        {
            long at = First + k * RankStep + i * Step;
            *(float*)destination = Tensor.DType switch
            {
                DType.BF16 => BitConverter.Int32BitsToSingle(((ushort*)Tensor.Data)[at] << 16),
                DType.F16 => (float)((Half*)Tensor.Data)[at],
                _ => ((float*)Tensor.Data)[at],
            };
        }
    }
}
