using System.Text;

namespace GptOss.Cli.Shell;

/// <summary>A column of a <see cref="Sheet"/>; numbers stand at its right edge.</summary>
internal readonly record struct Column(string Name, bool IsNumber = false);

/// <summary>
/// A titled table in aligned columns, the same on a terminal and in a file: nothing of it is cut or wrapped.
/// </summary>
internal sealed record Sheet(string Title, IReadOnlyList<Column> Columns, IReadOnlyList<string[]> Rows)
{
    /// <summary>A table of names and values, without headings.</summary>
    public static Sheet OfPairs(string title, params (string Name, string Value)[] pairs) =>
        new(title, [new(""), new("")], [.. pairs.Select(pair => new[] { pair.Name, pair.Value })]);

    public static void Write(IEnumerable<Sheet> sheets)
    {
        using var output = new Output();
        output.Write(string.Join('\n', sheets.Select(sheet => sheet.Plain())));
    }

    /// <summary>
    /// Title, headings and rows as lines that end in a line feed; a column is as wide as its widest cell.
    /// </summary>
    public string Plain()
    {
        string[][] lines =
        [
            .. HasHeadings
                ?
                [
                    [.. Columns.Select(column => column.Name)],
                ]
                : Array.Empty<string[]>(),
            .. Rows,
        ];
        int[] widths = [.. Columns.Select((_, i) => lines.Select(line => line[i].Length).DefaultIfEmpty().Max())];
        var text = new StringBuilder(Title).Append('\n');
        foreach (string[] line in lines)
        {
            IEnumerable<string> cells = line.Select(
                (cell, i) => Columns[i].IsNumber ? cell.PadLeft(widths[i]) : cell.PadRight(widths[i])
            );
            text.Append("  ").Append(string.Join("  ", cells).TrimEnd()).Append('\n');
        }
        return text.ToString();
    }

    private bool HasHeadings => Columns.Any(column => column.Name.Length > 0);
}
