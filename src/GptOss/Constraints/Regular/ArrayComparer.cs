using System.Runtime.InteropServices;

namespace GptOss.Constraints.Regular;

/// <summary>Arrays are equal where their elements are, bit by bit.</summary>
internal sealed class ArrayComparer<T> : IEqualityComparer<T[]>, IAlternateEqualityComparer<ReadOnlySpan<T>, T[]>
    where T : unmanaged, IEquatable<T>
{
    /// <summary>The comparer, which holds nothing.</summary>
    public static ArrayComparer<T> Instance { get; } = new();

    /// <inheritdoc/>
    public bool Equals(T[]? x, T[]? y) => x.AsSpan().SequenceEqual(y);

    /// <inheritdoc/>
    public bool Equals(ReadOnlySpan<T> alternate, T[] other) => alternate.SequenceEqual(other);

    /// <inheritdoc/>
    public int GetHashCode(T[] elements) => GetHashCode(elements.AsSpan());

    /// <inheritdoc/>
    public int GetHashCode(ReadOnlySpan<T> elements)
    {
        var hash = new HashCode();
        hash.AddBytes(MemoryMarshal.AsBytes(elements));
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public T[] Create(ReadOnlySpan<T> elements) => elements.ToArray();
}
