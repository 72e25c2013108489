using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;

namespace GptOss.Cli.Shell;

/// <summary>Options and arguments whose complaints name the option, what it takes and what it was given.</summary>
internal static class Values
{
    private static readonly char[] Separators = [',', ' ', '\t', '\r', '\n', '[', ']'];

    /// <summary>An option that takes a number within <c>[min, max]</c>; null where it is not given.</summary>
    public static Option<T?> Number<T>(string name, string description, T min, T max, params string[] aliases)
        where T : struct, INumber<T> =>
        new(name, aliases)
        {
            Description = description,
            HelpName = "N",
            CustomParser = result => ParseNumber(result, name, min, max),
        };

    /// <summary>A list of token ids or positions, separated by commas or blanks, in brackets or not.</summary>
    /// <exception cref="UsageException">Something in it is not a whole number from 0 on.</exception>
    public static int[] ParseIds(string text, string name)
    {
        string[] words = text.Split(Separators, StringSplitOptions.RemoveEmptyEntries);
        int[] ids = new int[words.Length];
        for (int i = 0; i < words.Length; i++)
        {
            if (!int.TryParse(words[i], NumberStyles.None, CultureInfo.InvariantCulture, out ids[i]))
                throw new UsageException(
                    $"{name} should be whole numbers from 0 on, such as 1,2,3, but holds '{words[i]}'."
                );
        }
        return ids;
    }

    /// <summary>Refuses an empty text where a path or a name belongs.</summary>
    /// <exception cref="UsageException">One of the options or arguments is given as an empty text.</exception>
    public static void RequireText(ParseResult parsed, params ReadOnlySpan<Symbol> symbols)
    {
        foreach (Symbol symbol in symbols)
            if (parsed.GetResult(symbol) is { Tokens: [{ Value: "" }] })
                throw new UsageException($"{symbol.Name} is an empty text. It should be a path or a name.");
    }

    private static T? ParseNumber<T>(ArgumentResult result, string name, T min, T max)
        where T : struct, INumber<T>
    {
        string text = result.Tokens[0].Value;
        // NaN parses, but compares with nothing.
        if (
            T.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out T value)
            && value >= min
            && value <= max
        )
            return value;
        string kind = typeof(T) == typeof(float) ? "a number" : "a whole number";
        result.AddError(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{name} should be {kind} from {min} to {max}, but is '{text}'."
            )
        );
        return null;
    }
}
