using System.Text.Encodings.Web;
using System.Text.Json;

namespace GptOss.Tests.Constraints.Schemas;

/// <summary>
/// Schemas with instances and verdicts. "field" and "tools" are ours and lie among the vectors. "suite" and "bench"
/// come from other projects and are read from the folder <c>shared/constraints</c> beside the repository, or above it,
/// where that exists.
/// </summary>
internal static class SchemaCorpus
{
    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 1_000 };
    private static readonly JsonSerializerOptions Relaxed = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = 1_000,
    };

    /// <summary>Why a corpus cannot be read here; null where it can.</summary>
    public static string? Missing(string name) =>
        FileOf(name) is null ? $"shared/constraints/{name}.jsonl is not beside the repository." : null;

    /// <summary>The schemas of a corpus: all of them, or every n-th one.</summary>
    public static IEnumerable<SchemaCase> Read(string name, int oneOf = 1)
    {
        foreach (string line in File.ReadLines(FileOf(name)!).Where((_, index) => index % oneOf == 0))
        {
            JsonElement schema = JsonDocument.Parse(line, Deep).RootElement;
            yield return new(schema, [.. schema.GetProperty("tests").EnumerateArray().SelectMany(Instances)]);
        }
    }

    private static IEnumerable<SchemaInstance> Instances(JsonElement test)
    {
        bool? valid = Verdict(test, "valid");
        return Texts(test)
            .Distinct()
            .Select(text => new SchemaInstance(
                text,
                test.TryGetProperty("emit", out _) ? Verdict(test, "emit") : valid,
                IsFreeOrder: test.TryGetProperty("any_order", out _),
                IsAsWritten: test.TryGetProperty("as_written", out _)
            ));
    }

    // A value is the same in both spellings, so the verdict is.
    private static string[] Texts(JsonElement test) =>
        test.TryGetProperty("text", out JsonElement text)
            ? [text.GetString()!]
            : [Spelled(test.GetProperty("data")), JsonSerializer.Serialize(test.GetProperty("data"), Relaxed)];

    /// <summary>A value without white space, its texts escaped only where JSON asks for it.</summary>
    public static string Spelled(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => Quoted(value.GetString()!),
            JsonValueKind.Array => $"[{string.Join(',', value.EnumerateArray().Select(Spelled))}]",
            JsonValueKind.Object => "{"
                + string.Join(
                    ',',
                    value.EnumerateObject().Select(member => $"{Quoted(member.Name)}:{Spelled(member.Value)}")
                )
                + "}",
            _ => value.GetRawText(),
        };

    private static string Quoted(string text) =>
        $"\"{string.Concat(text.Select(c => c switch
        {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\b' => "\\b",
            '\f' => "\\f",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            < ' ' => $"\\u{(int)c:x4}",
            _ => c.ToString(),
        }))}\"";

    private static bool? Verdict(JsonElement test, string name) =>
        test.GetProperty(name) is { ValueKind: JsonValueKind.True or JsonValueKind.False } verdict
            ? verdict.GetBoolean()
            : null;

    private static string? FileOf(string name)
    {
        string ours = Repository.Vector("constraints", $"{name}.jsonl");
        if (File.Exists(ours))
            return ours;
        for (DirectoryInfo? at = new(Repository.Root); at is not null; at = at.Parent)
            if (Path.Combine(at.FullName, "shared", "constraints", $"{name}.jsonl") is string file && File.Exists(file))
                return file;
        return null;
    }
}

/// <summary>A schema of a corpus with its instances.</summary>
internal sealed record SchemaCase(JsonElement Line, IReadOnlyList<SchemaInstance> Instances)
{
    public string Id => Line.GetProperty("id").GetString()!;

    public JsonElement Schema => Line.GetProperty("schema");

    /// <summary>The keyword and the pointer of the expected refusal; null where the schema has to compile.</summary>
    public (string? Keyword, string Pointer)? Refusal =>
        Line.TryGetProperty("expect", out JsonElement expect)
            ? (
                expect.GetProperty("refused").GetProperty("keyword").GetString(),
                expect.GetProperty("refused").GetProperty("pointer").GetString()!
            )
            : null;
}

/// <summary>A text and whether it may be an answer; null where either is right.</summary>
internal sealed record SchemaInstance(string Text, bool? IsAllowed, bool IsFreeOrder, bool IsAsWritten);
