using System.Globalization;

namespace GptOss.Tests.Kernels;

/// <summary>One kernel of the table of <see cref="GuardPagesTests"/>, with the sizes at which it runs.</summary>
/// <param name="Type">The kernel, its number format and the like included.</param>
/// <param name="Sizes">What the sizes count, the kernel says: values, blocks or positions.</param>
/// <param name="Registers">Names of the registers on which it runs.</param>
/// <param name="At">
/// Computes the expected result of a size, and gives what runs the kernel with operands in a fence and compares.
/// </param>
internal sealed record GuardedKernel(
    Type Type,
    int[] Sizes,
    IReadOnlyList<string> Registers,
    Func<int, Action<Fence, string>> At
)
{
    private const int Alignments = 64;

    /// <summary>A kernel of float lanes, at every width.</summary>
    public static GuardedKernel OfLanes(Type type, int[] sizes, Func<int, Action<Fence, int>> at) =>
        new(type, sizes, Kernels.Registers.WidthNames, size =>
        {
            Action<Fence, int> run = at(size);
            return (fence, width) => run(fence, int.Parse(width, CultureInfo.InvariantCulture));
        });

    /// <summary>A kernel of integer dot products with weights of any eight bits.</summary>
    public static GuardedKernel OfWideDots(Type type, int[] sizes, Func<int, Action<Fence, string>> at) =>
        new(type, sizes, Kernels.Registers.WideKindNames, at);

    /// <summary>A kernel of integer dot products with weights of at most 24.</summary>
    public static GuardedKernel OfDots(Type type, int[] sizes, Func<int, Action<Fence, string>> at) =>
        new(type, sizes, Kernels.Registers.KindNames, at);

    /// <summary>The sizes from 1 on.</summary>
    public static int[] UpTo(int last) => [.. Enumerable.Range(1, last)];

    /// <summary>What a function of token and output defines, [tokens, outputs].</summary>
    public static float[] Defined(int tokens, int outputs, Func<int, int, float> value) =>
        [.. Enumerable.Range(0, tokens * outputs).Select(i => value(i / outputs, i % outputs))];

    /// <summary>
    /// Runs every size at the end and at the beginning of pages, and over all sizes at every address modulo 64.
    /// </summary>
    /// <returns>Number of pairs of a size and a place.</returns>
    public int Run(Fence fence)
    {
        int shapes = 0,
            shift = 0;
        foreach (int size in Sizes)
        {
            Action<Fence, string> run = At(size);
            int shifts = (Alignments + Sizes.Length - 1) / Sizes.Length;
            int?[] starts = [null, 0, .. Enumerable.Range(shift, shifts).Select(start => (int?)(start % Alignments))];
            shift += shifts;
            foreach (int? start in starts)
            {
                shapes++;
                foreach (string registers in Registers)
                {
                    fence.Start = start;
                    run(fence, registers);
                    fence.Verify($"{Type}, size {size}, start {start}, registers {registers}");
                }
            }
        }
        return shapes;
    }
}
