using System.Text;

namespace GptOss.Tests.Fuzzing;

/// <summary>Damages the text of a schema, a pattern or a grammar with what means something in one of them.</summary>
internal static class TextDamage
{
    private static readonly string[] Pieces =
    [
        "\"",
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "\\",
        "*",
        "+",
        "?",
        "|",
        "^",
        "$",
        ",",
        ":",
        "1",
        "0",
        "-1",
        "1e9",
        "999999",
        "{0,4000}",
        "::=",
        "root",
        "null",
        "true",
        "{}",
        "[]",
        "#",
        "\"#\"",
        "\"$ref\"",
        "\n",
        "é",
        "\\u",
        "\\ud800",
        "\\p{",
        "(?=",
        "[^",
        ".{3000}",
        "\"items\"",
        "\"not\"",
        "\"oneOf\"",
        "\"string\"",
        "\"object\"",
        "\ud800",
    ];

    /// <summary>Some pieces are put in, some taken out, some doubled or exchanged with others.</summary>
    public static string Damage(string text, Random random)
    {
        var damaged = new StringBuilder(text);
        for (int count = 1 + random.Next(4); count > 0 && damaged.Length > 0; count--)
        {
            int at = random.Next(damaged.Length),
                length = Math.Min(damaged.Length - at, 1 + random.Next(8));
            switch (random.Next(4))
            {
                case 0:
                    damaged.Remove(at, length);
                    break;
                case 1:
                    damaged.Insert(at, damaged.ToString(at, length));
                    break;
                case 2:
                    damaged[at] = damaged[random.Next(damaged.Length)];
                    break;
                default:
                    damaged.Insert(at, Pieces[random.Next(Pieces.Length)]);
                    break;
            }
        }
        return damaged.ToString();
    }
}
