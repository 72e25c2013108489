namespace GptOss.Constraints;

/// <summary>
/// How much work one token may take. Counted in steps and not in time, as if nothing had been known before it, so that
/// a grammar fails at a place of a text everywhere or nowhere.
/// </summary>
internal static class StepLimit
{
    /// <summary>
    /// The most steps of one mask, one forced run or one token: some tenths of a second's work. Schemas and grammars as
    /// people write them take less than a tenth of that.
    /// </summary>
    public const long Mask = 5_000_000;

    /// <summary>The most steps of one byte, where only whether it may come is asked: a mask tries hundreds.</summary>
    public const long Byte = 200_000;

    /// <summary>What stands for a mask or a token that would take too many steps.</summary>
    /// <param name="most">The limit that was met.</param>
    /// <param name="rule">The rule that was entered last, by its name; null where none was.</param>
    public static SchemaException Exceeded(long most, string? rule) =>
        new(
            "What the answer is held to can be read in so many ways at this place that the next token takes more than "
                + $"{most:N0} steps to work out, which is the limit"
                + (rule is null ? "." : $"; the last of them are in '{Printable.Name(rule)}'.")
        );
}
