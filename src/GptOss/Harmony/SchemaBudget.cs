using System.Globalization;

namespace GptOss.Harmony;

/// <summary>
/// Limits how much of one tool's schema is read and written, and remembers why something was left out. Holds the
/// counters of one schema.
/// </summary>
/// <remarks>
/// A short schema may describe an endless type: thirty definitions, each of which refers twice to the next, stand for a
/// billion parts.
/// </remarks>
internal sealed class SchemaBudget
{
    /// <summary>The most levels that types may be nested in one another.</summary>
    public const int MaximumDepth = 32;

    /// <summary>The most parts of one tool's schema, each counted where it is used.</summary>
    public const int MaximumParts = 10_000;

    /// <summary>
    /// The most characters of one tool's type: four times the longest published one, and more than half of the longest
    /// context.
    /// </summary>
    public const int MaximumCharacters = 400_000;

    // The most members that are looked at or merged. Bounds the time that a schema takes.
    private const int MaximumSteps = 1_000_000;

    // The most parts that are open at once. Bounds the stack where nesting adds no level to the type, as in a reference
    // to a reference.
    private const int MaximumCalls = 200;

    private int _parts;
    private int _steps;
    private int _calls;
    private int _characters;

    /// <summary>
    /// Why something was left out, as the end of a sentence: <c>is nested more than 32 levels deep</c>; null if nothing
    /// was.
    /// </summary>
    public string? Shortened { get; private set; }

    /// <summary>Whether no further part of the schema is read.</summary>
    public bool IsSpent => _parts > MaximumParts || _steps > MaximumSteps;

    /// <summary>
    /// Begins a part of the schema; false if the part is to be left out. <see cref="Leave"/> ends it in either case.
    /// </summary>
    public bool Enter(int depth)
    {
        _calls++;
        _parts++;
        if (depth >= MaximumDepth || _calls > MaximumCalls)
            Note($"is nested more than {MaximumDepth} levels deep");
        else if (IsSpent)
            Note(TooMany);
        else
            return true;
        return false;
    }

    /// <summary>Ends the part that was begun last.</summary>
    public void Leave() => _calls--;

    /// <summary>Counts members that are looked at or merged; false once there were too many.</summary>
    /// <remarks>Too many parts do not make this false: the parts that were read before are still put
    /// together.</remarks>
    public bool Step(int count = 1)
    {
        _steps = (int)Math.Min(int.MaxValue, (long)_steps + count);
        if (_steps <= MaximumSteps)
            return true;
        Note(TooMany);
        return false;
    }

    /// <summary>Counts characters that are written; false once there were too many.</summary>
    public bool Write(int characters)
    {
        _characters = (int)Math.Min(int.MaxValue, (long)_characters + characters);
        if (_characters <= MaximumCharacters)
            return true;
        Note(string.Create(CultureInfo.InvariantCulture, $"has more than {MaximumCharacters:N0} characters"));
        return false;
    }

    /// <summary>Notes why something was left out; the first reason is kept.</summary>
    public void Note(string reason) => Shortened ??= reason;

    private static string TooMany =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"has more than {MaximumParts:N0} parts once its references are resolved"
        );
}
