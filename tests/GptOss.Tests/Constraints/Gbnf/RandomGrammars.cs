using System.Text;

namespace GptOss.Tests.Constraints.Gbnf;

/// <summary>Random grammars of a few rules over two letters, and random texts over them.</summary>
internal static class RandomGrammars
{
    private static readonly string[] _times = ["*", "+", "?", "{2}", "{,2}", "{1,}", "{1,2}"];
    private static readonly string[] _atoms = ["\"a\"", "\"b\"", "[ab]", "[^a]", "\"ab\"", "\"\"", "."];
    private static readonly string[] _names = ["root", "x", "y"];

    public static string Draw(Random random) =>
        string.Join('\n', _names.Select(name => $"{name} ::= {Choice(random, depth: 2)}"));

    public static string Text(Random random)
    {
        var text = new StringBuilder();
        for (int length = random.Next(8); length > 0; length--)
            text.Append("ab"[random.Next(2)]);
        return text.ToString();
    }

    private static string Choice(Random random, int depth) =>
        string.Join(" | ", Enumerable.Range(0, random.Next(1, 4)).Select(_ => Sequence(random, depth)));

    private static string Sequence(Random random, int depth) =>
        string.Join(' ', Enumerable.Range(0, random.Next(1, 4)).Select(_ => Part(random, depth)));

    private static string Part(Random random, int depth)
    {
        string part = random.Next(10) switch
        {
            < 2 when depth > 0 => $"({Choice(random, depth - 1)})",
            < 5 => _names[random.Next(_names.Length)],
            _ => _atoms[random.Next(_atoms.Length)],
        };
        return random.Next(4) == 0 ? part + _times[random.Next(_times.Length)] : part;
    }
}
