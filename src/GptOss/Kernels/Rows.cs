namespace GptOss.Kernels;

/// <summary>A row-major matrix of floats borrowed from a workspace: a span that knows its width.</summary>
/// <remarks>Row t is the activation of token t. A ref struct, so it cannot outlive the buffer it borrows.</remarks>
internal readonly ref struct Rows(Span<float> values, int width)
{
    public Span<float> Values { get; } = values;
    public int Width { get; } = width;
    public int Count => Values.Length / Width;
    public Span<float> this[int row] => Values.Slice(row * Width, Width);
}
