using System.Globalization;

namespace GptOss.Harmony;

/// <summary>How much of one tool's schema is still to be shown, and why something is not.</summary>
/// <remarks>
/// A schema may name more than its length tells: references that double at every step make it endless.
/// </remarks>
internal sealed class SchemaBudget
{
    /// <summary>How deeply types may be nested.</summary>
    public const int MaximumDepth = 32;

    /// <summary>Schemas of one tool, each counted where it is used.</summary>
    public const int MaximumParts = 10_000;

    /// <summary>
    /// Characters of one tool: four times the longest published ones, and more than the half of the longest context.
    /// </summary>
    public const int MaximumCharacters = 400_000;

    // Members looked at and merged: what bounds the time.
    private const int MaximumSteps = 1_000_000;

    // Also of what is not nested in the type, such as references to references.
    private const int MaximumCalls = 200;

    private int _parts;
    private int _steps;
    private int _calls;
    private int _characters;

    /// <summary>What was left out and why, as a part of a sentence; null if nothing was.</summary>
    public string? Shortened { get; private set; }

    public bool IsSpent => _parts > MaximumParts || _steps > MaximumSteps;

    /// <summary>Begins a part of the schema; false if it is to be left out.</summary>
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

    public void Leave() => _calls--;

    /// <summary>Counts work; false if there was too much of it.</summary>
    /// <remarks>Too many parts alone do not end it: what was read of them before is still put together.</remarks>
    public bool Step(int count = 1)
    {
        _steps = (int)Math.Min(int.MaxValue, (long)_steps + count);
        if (_steps <= MaximumSteps)
            return true;
        Note(TooMany);
        return false;
    }

    /// <summary>Counts what is written; false if there was too much of it.</summary>
    public bool Write(int characters)
    {
        _characters = (int)Math.Min(int.MaxValue, (long)_characters + characters);
        if (_characters <= MaximumCharacters)
            return true;
        Note(string.Create(CultureInfo.InvariantCulture, $"has more than {MaximumCharacters:N0} characters"));
        return false;
    }

    /// <summary>Notes that something was left out; the first reason is kept.</summary>
    public void Note(string reason) => Shortened ??= reason;

    private static string TooMany =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"has more than {MaximumParts:N0} parts once its references are resolved"
        );
}
