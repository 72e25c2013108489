using System.Text;
using System.Text.Json;
using GptOss.Cli.Shell;
using GptOss.Constraints.Walkers;

namespace GptOss.Cli.Bench.Corpora;

/// <summary>A file of schemas with texts and verdicts, one JSON object on a line.</summary>
/// <remarks>
/// <c>{"id", "schema", "tests": [{"data" or "text", "valid", "emit"?}, …], "expect"?: {"refused": …}}</c>. A text
/// stands in <c>text</c>, or its value in <c>data</c>. <c>emit</c> says what an engine has to do where that differs
/// from <c>valid</c>; null means that either is right. <c>expect</c> stands beside a schema that has to be refused.
/// </remarks>
/// <param name="Path">Where the file lies.</param>
internal sealed record CorpusFile(string Path)
{
    // A schema may nest deeper than what JSON is read to by default; refusing it is up to the compiler.
    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 1000 };

    /// <summary>The name of the file without its ending.</summary>
    public string Name => System.IO.Path.GetFileNameWithoutExtension(Path);

    /// <summary>
    /// How the schemas are read: to the letter of the standard, but those called field or tools as an answer's are.
    /// </summary>
    public SchemaOptions Options { get; } =
        System.IO.Path.GetFileName(Path) is var name
        && (name.StartsWith("field", StringComparison.Ordinal) || name.StartsWith("tools", StringComparison.Ordinal))
            ? SchemaOptions.Default
            : new SchemaOptions { Objects = SchemaObjects.AsWritten, Order = PropertyOrder.Any };

    /// <summary>All files of a folder that end in <c>.jsonl</c>, in the order of their names.</summary>
    /// <exception cref="UsageException">There is no such folder, or no such file in it.</exception>
    public static IReadOnlyList<CorpusFile> Of(string folder)
    {
        if (!Directory.Exists(folder))
            throw new UsageException($"--corpus: there is no folder '{folder}'.");
        string[] files = Directory.GetFiles(folder, "*.jsonl");
        if (files.Length == 0)
            throw new UsageException($"--corpus: no file in '{folder}' ends in .jsonl.");
        return [.. files.Order(StringComparer.Ordinal).Select(file => new CorpusFile(file))];
    }

    /// <summary>The schemas of the file, one by one.</summary>
    /// <exception cref="UsageException">A line is not as the form asks; the message names it.</exception>
    public IEnumerable<CorpusSchema> Read()
    {
        int number = 0;
        foreach (string line in File.ReadLines(Path))
        {
            number++;
            if (line.Length > 0)
                yield return Read(line, number);
        }
    }

    private CorpusSchema Read(string line, int number)
    {
        try
        {
            JsonElement parsed = JsonElement.Parse(line, Deep);
            return new CorpusSchema(
                parsed.GetProperty("id").GetString() ?? "",
                parsed.GetProperty("schema"),
                IsToBeRefused: parsed.TryGetProperty("expect", out _),
                [.. parsed.GetProperty("tests").EnumerateArray().Select(Text)]
            );
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new UsageException($"{Path}, line {number}: no schema with texts. {e.Message}");
        }
    }

    private static CorpusText Text(JsonElement test) =>
        new(
            test.TryGetProperty("text", out JsonElement text) ? text.GetString()! : Spelled(test.GetProperty("data")),
            Verdict(test.TryGetProperty("emit", out JsonElement emit) ? emit : test.GetProperty("valid"))
        );

    private static bool? Verdict(JsonElement verdict) =>
        verdict.ValueKind == JsonValueKind.Null ? null : verdict.GetBoolean();

    // Without white space, and each string in the only spelling that one of a pattern or a list of values may have.
    private static string Spelled(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => Quoted(value.GetString()!),
            JsonValueKind.Array => $"[{string.Join(',', value.EnumerateArray().Select(Spelled))}]",
            JsonValueKind.Object =>
                $"{{{string.Join(
                ',',
                value.EnumerateObject().Select(member => $"{Quoted(member.Name)}:{Spelled(member.Value)}")
            )}}}",
            _ => value.GetRawText(),
        };

    private static string Quoted(string text) => Encoding.UTF8.GetString(JsonEscapes.Quoted(text));
}

/// <summary>A schema of a corpus with its texts.</summary>
/// <param name="Id">Its name within the corpus.</param>
/// <param name="Schema">The JSON Schema itself.</param>
/// <param name="IsToBeRefused">Whether the engine must not compile it.</param>
/// <param name="Texts">Texts with the verdict on each.</param>
internal sealed record CorpusSchema(string Id, JsonElement Schema, bool IsToBeRefused, IReadOnlyList<CorpusText> Texts);

/// <summary>A text, and whether it may be an answer; null where either is right.</summary>
internal sealed record CorpusText(string Text, bool? IsAllowed);
