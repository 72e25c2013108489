using System.Text;
using System.Text.RegularExpressions;
using GptOss.Constraints;
using GptOss.Constraints.Regular;

namespace GptOss.Tests.Constraints.Regular;

/// <summary>
/// Random patterns over a few letters, each with the same pattern for .NET, whose <c>$</c> also holds before a line
/// end, and random texts over the same letters.
/// </summary>
internal static class RandomPatterns
{
    private static readonly string[] _atoms =
    [
        "a",
        "b",
        "c",
        ".",
        "[ab]",
        "[^a]",
        "[a-c1]",
        @"\d",
        @"\w",
        @"\s",
        @"[^\d\s]",
        "é",
        @"\u00e9",
        @"\n",
    ];

    private static readonly string[] _quantifiers = ["*", "+", "?", "{2}", "{1,}", "{0,2}", "{2,3}", "*?", "{1,2}?"];

    /// <summary>The letters of the random texts.</summary>
    private const string Letters = "aabbcc1_é \n";

    public static string Pattern(Random random, int depth = 3)
    {
        int branches = random.Next(4) == 0 ? 2 : 1;
        return string.Join('|', Enumerable.Range(0, branches).Select(_ => Sequence(random, depth)));
    }

    public static string Text(Random random)
    {
        var text = new StringBuilder();
        for (int length = random.Next(9); length > 0; length--)
            text.Append(Letters[random.Next(Letters.Length)]);
        return text.ToString();
    }

    /// <summary>.NET's own matcher of the pattern, with the ends of the text for <c>^</c> and <c>$</c>.</summary>
    public static Regex Oracle(string pattern) =>
        new(
            pattern
                .Replace("[^", "\u0001")
                .Replace("^", @"\A")
                .Replace("$", @"\z")
                .Replace("\u0001", "[^")
                // .NET's dot knows line feed alone as the end of a line; the texts hold no other.
                .Replace(@"\w", "[a-zA-Z0-9_]")
                .Replace(@"\d", "[0-9]")
                .Replace(@"[^[0-9]\s]", @"[^0-9\s]")
                // As few as possible is the same language, but .NET's lazy loops around captures sometimes match too
                // much.
                .Replace("*?", "*")
                .Replace("}?", "}"),
            // The engine that backtracks sometimes errs in loops over what may be empty; the other has no look-ahead.
            pattern.Contains("(?=") || pattern.Contains("(?!")
                ? RegexOptions.CultureInvariant
                : RegexOptions.CultureInvariant | RegexOptions.NonBacktracking
        );

    /// <summary>The automaton of a pattern that is found anywhere in a text.</summary>
    public static CodePointDfa Search(string pattern) => Patterns.Search(pattern, new CompileBudget());

    private static string Sequence(Random random, int depth)
    {
        var parts = new StringBuilder(random.Next(4) == 0 ? "^" : "");
        if (parts.Length == 1)
            for (; random.Next(3) == 0; )
                parts.Append(random.Next(2) == 0 ? "(?=" : "(?!").Append(Pattern(random, depth - 2)).Append(')');
        for (int count = random.Next(depth > 0 ? 4 : 3); count > 0; count--)
            parts.Append(Term(random, depth));
        return parts.Append(random.Next(4) == 0 ? "$" : "").ToString();
    }

    private static string Term(Random random, int depth)
    {
        if (random.Next(12) == 0)
            return random.Next(2) == 0 ? "(?:^)" : "(?:$)";
        bool isGroup = depth > 0 && random.Next(3) == 0;
        string atom = isGroup ? $"({Pattern(random, depth - 1)})" : _atoms[random.Next(_atoms.Length)];
        bool isRepeated = random.Next(3) == 0 && !atom.Contains("(?=") && !atom.Contains("(?!");
        return atom + (isRepeated ? _quantifiers[random.Next(_quantifiers.Length)] : "");
    }
}
