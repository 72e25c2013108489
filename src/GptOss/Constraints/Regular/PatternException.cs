namespace GptOss.Constraints.Regular;

/// <summary>
/// A pattern that is not understood. Whoever knows the place of the pattern in the caller's schema turns it into a
/// <see cref="SchemaException"/>.
/// </summary>
/// <param name="position">The index of the character at fault.</param>
/// <param name="what">What is wrong there: <c>look-behind is not supported</c>.</param>
internal sealed class PatternException(int position, string what) : Exception($"at {position}: {what}")
{
    /// <summary>The index of the character at fault.</summary>
    public int Position { get; } = position;
}
