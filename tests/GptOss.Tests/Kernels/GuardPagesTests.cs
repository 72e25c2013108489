using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GptOss.Kernels.Formats;
using GptOss.Kernels.MatMul;
using GptOss.Kernels.Registers;
using Xunit.Sdk;

namespace GptOss.Tests.Kernels;

/// <summary>
/// Every kernel with operands between pages without access: it reads and writes nothing else, and gives the bits of its
/// definition, on all registers that this process has.
/// </summary>
/// <remarks>A read of a page without access ends the process, and the runtime names the kernel that read.</remarks>
public sealed class GuardPagesTests
{
    private static readonly GuardedKernel[] Table =
    [
        .. GuardedElementwise.All,
        .. GuardedNumbers.All,
        .. GuardedMxfp4.All,
        .. GuardedInt8.All,
    ];

    private static readonly Type[] Formats = [typeof(INumberFormat), typeof(IMxfp4Blocks)];

    // Kernels that have no line of their own, with the reason.
    private static readonly Dictionary<string, string> Exceptions = new()
    {
        [$"{typeof(CopyMxfp4Scales<Mxfp4Apart>)}"] = "the scales of OpenAI's files lie side by side already",
        [$"{typeof(Int8)}+PackInt8PanelLanes`2[TDots,TNumbers]"] = "PackInt8Panel runs it, in the widest lanes",
    };

    [Fact, Promise(25)]
    public void No_kernel_reads_or_writes_beside_its_operands_and_all_give_the_bits_of_the_definition()
    {
        using var fence = new Fence();
        int shapes = 0;
        foreach (GuardedKernel kernel in Table)
            shapes += kernel.Run(fence);
        string registers = string.Join(", ", Registers.WidthNames);
        Figure.Tell(
            $"{Table.Length} kernels × {shapes / Table.Length} shapes (mean) × {Registers.WidthNames.Count} widths "
                + $"({registers}) and {Registers.KindNames.Count} kinds of dot products: 0 faults, max error 0"
        );
    }

    [Fact]
    public void Every_kernel_of_the_library_is_in_the_table_in_every_format() =>
        Assert.Equal(
            Kernels(typeof(ILaneKernel).Assembly.GetTypes()).Except(Exceptions.Keys).Order(),
            Table.Select(kernel => $"{kernel.Type}").Order()
        );

    [Fact]
    public void An_exception_is_a_kernel_of_the_library() =>
        Assert.Superset(Exceptions.Keys.ToHashSet(), Kernels(typeof(ILaneKernel).Assembly.GetTypes()).ToHashSet());

    [Fact]
    public void A_kernel_without_a_line_is_noticed_in_every_format()
    {
        string[] noticed = [.. Kernels([typeof(Unlisted<>)])];
        Assert.Contains($"{typeof(Unlisted<BFloat16>)}", noticed);
        Assert.Contains($"{typeof(Unlisted<Q6_K>)}", noticed);
        Assert.Equal(Enum.GetValues<WeightFormat>().Count(format => format.IsOfNumbers), noticed.Length);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(10)]
    public void A_write_beside_an_operand_is_noticed(int index)
    {
        using var fence = new Fence { Start = 8 };
        Span<float> operand = fence.Of<float>(new float[10]);
        Unsafe.Add(ref MemoryMarshal.GetReference(operand), index) = 1;
        Assert.Throws<FailException>(() => fence.Verify("a test"));
    }

    [Fact]
    public unsafe void The_pages_beside_those_of_the_operands_have_no_access()
    {
        using var memory = new GuardedMemory<byte>(new byte[Environment.SystemPageSize]);
        fixed (byte* first = memory.Span)
        {
            string[] maps = File.ReadAllLines("/proc/self/maps");
            Assert.Equal("rw-p", Access(maps, (nint)first));
            Assert.Equal("---p", Access(maps, (nint)first - 1));
            Assert.Equal("---p", Access(maps, (nint)first + memory.Span.Length));
        }

        // A line begins with the addresses of a mapping and its access: 7f00-7f01 rw-p
        static string Access(string[] maps, nint address) =>
            maps.Single(line => Address(line, 0) <= address && address < Address(line, 1)).Split(' ')[1];

        static long Address(string line, int index) =>
            long.Parse(line.Split(' ')[0].Split('-')[index], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }

    // A kernel of a format of numbers or of blocks counts once for each of them.
    private static IEnumerable<string> Kernels(IEnumerable<Type> types) =>
        from type in types
        where type.IsValueType && (type.IsAssignableTo(typeof(ILaneKernel)) || type.IsAssignableTo(typeof(IDotsKernel)))
        from kernel in InEveryFormat(type)
        select $"{kernel}";

    private static IEnumerable<Type> InEveryFormat(Type kernel)
    {
        if (kernel.GetGenericArguments() is not [Type parameter])
            return [kernel];
        Type[] formats =
        [
            .. from format in typeof(INumberFormat).Assembly.GetTypes()
            where
                format.IsValueType
                && parameter.GetGenericParameterConstraints().Intersect(Formats).Any(format.IsAssignableTo)
            select format,
        ];
        return formats.Length == 0 ? [kernel] : formats.Select(format => kernel.MakeGenericType(format));
    }

    private readonly struct Unlisted<TNumbers> : ILaneKernel
        where TNumbers : struct, INumberFormat
    {
        public void Run<T>()
            where T : struct, ILanes<T> { }
    }
}
