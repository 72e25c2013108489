using System.Runtime.InteropServices;

namespace GptOss.Tests.Kernels;

/// <summary>
/// Memory for the operands of one kernel, each in pages of its own between pages without access. An operand lies at the
/// end of its pages, or at some bytes from their beginning; the bytes beside it are known, so that a write there is
/// noticed.
/// </summary>
internal sealed class Fence : IDisposable
{
    private const int Bytes = 256 * 1024,
        Beside = 64;
    private const byte Known = 0xA5;

    private readonly List<GuardedMemory<byte>> _pages = [];
    private readonly List<(int First, int End)> _operands = [];

    /// <summary>Where operands begin in their pages, rounded to whole values; null where they end with them.</summary>
    public int? Start { get; set; }

    /// <summary>Copies an operand into the fence.</summary>
    public Span<T> Of<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        if (_operands.Count == _pages.Count)
            _pages.Add(new GuardedMemory<byte>(new byte[Bytes]));
        Span<byte> pages = _pages[_operands.Count].Span;
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(values);
        int value = Marshal.SizeOf<T>(),
            first = Start / value * value ?? Bytes - bytes.Length;
        pages[Math.Max(first - Beside, 0)..Math.Min(first + bytes.Length + Beside, Bytes)].Fill(Known);
        _operands.Add((first, first + bytes.Length));
        Span<byte> operand = pages.Slice(first, bytes.Length);
        bytes.CopyTo(operand);
        return MemoryMarshal.Cast<byte, T>(operand);
    }

    /// <summary>Fails where the bytes beside an operand have changed, and forgets the operands.</summary>
    public void Verify(string at)
    {
        for (int i = 0; i < _operands.Count; i++)
        {
            (int first, int end) = _operands[i];
            Span<byte> pages = _pages[i].Span;
            if (
                pages[Math.Max(first - Beside, 0)..first].ContainsAnyExcept(Known)
                || pages[end..Math.Min(end + Beside, Bytes)].ContainsAnyExcept(Known)
            )
                Assert.Fail($"{at}: bytes beside operand {i} were written");
        }
        _operands.Clear();
    }

    public void Dispose() => _pages.ForEach(pages => pages.Dispose());
}
