using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace GptOss.AspNetCore.Tests.Faults;

/// <summary>
/// One request of a fault table and what must come of it. The tables are the JSON lines beside this file.
/// </summary>
/// <remarks>
/// A body is <c>raw</c> text, <c>hex</c> bytes, a good body <c>with</c> other members, or a good body whose answer has
/// a <c>schema</c>. In all of them <c>{{a*3}}</c> stands for <c>aaa</c>, and <c>{{a#*3}}</c> for <c>a0a1a2</c>.
/// </remarks>
internal sealed partial class FaultLine
{
    private const string Good =
            """
                {"max_completion_tokens":4,"temperature":0,"messages":[{"role":"user","content":"What is 1 + 1?"}]}
                """,
        GoodResponse = """{"max_output_tokens":4,"temperature":0,"input":"What is 1 + 1?"}""";

    private readonly JsonElement _line;

    private FaultLine(JsonElement line) => _line = line;

    /// <summary>The number of the fault in the plan, without its F.</summary>
    public int Number => _line.GetProperty("line").GetInt32();

    public string Method => Text("method") ?? "POST";

    public string Path => Text("path") ?? "/v1/chat/completions";

    /// <summary>Whether the line speaks Anthropic's dialect.</summary>
    public bool IsOfMessages => Path.Contains("/messages", StringComparison.Ordinal);

    /// <summary>How a stream of the line's dialect ends that did not break off.</summary>
    public string End => IsOfMessages ? "data: {\"type\":\"message_stop\"}\n\n" : "data: [DONE]\n\n";

    public string Type => Text("type") ?? "application/json";

    public int Status => _line.GetProperty("status").GetInt32();

    public string? Code => Text("code");

    public string? Param => Text("param");

    /// <summary>What the message must hold.</summary>
    public string? Says => Text("says");

    /// <summary>A header that the answer must have, such as <c>Allow: POST</c>.</summary>
    public string? Header => Text("header");

    /// <summary>The time that the answer may take.</summary>
    public TimeSpan? Within =>
        _line.TryGetProperty("within_ms", out JsonElement time) ? TimeSpan.FromMilliseconds(time.GetInt32()) : null;

    /// <summary>Whether the line is asked streamed and not, which only changes what is said in a good body.</summary>
    public bool IsAskedTwice => HasOwnBody("with") && !_line.TryGetProperty("once", out _) || HasOwnBody("schema");

    public IEnumerable<(string Name, string Value)> Headers =>
        _line.TryGetProperty("headers", out JsonElement headers)
            ? headers.EnumerateObject().Select(header => (header.Name, header.Value.GetString()!))
            : [];

    /// <summary>The lines of a table.</summary>
    public static IReadOnlyList<FaultLine> Table(string name)
    {
        using Stream stream = typeof(FaultLine).Assembly.GetManifestResourceStream(name + ".jsonl")!;
        using var reader = new StreamReader(stream);
        return
        [
            .. reader
                .ReadToEnd()
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => new FaultLine(JsonElement.Parse(line))),
        ];
    }

    /// <summary>The body to send; null for none.</summary>
    public byte[]? Body(bool isStreamed)
    {
        if (Method is "GET" or "HEAD" or "DELETE")
            return null;
        if (Text("hex") is { } hex)
            return Convert.FromHexString(hex);
        return Encoding.UTF8.GetBytes(Text("raw") is { } raw ? Expanded(raw) : With(isStreamed));
    }

    public override string ToString() => _line.GetRawText() is var text && text.Length > 300 ? text[..300] : text;

    private bool HasOwnBody(string name) => _line.TryGetProperty(name, out _);

    private string? Text(string name) => _line.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;

    private string With(bool isStreamed)
    {
        var members = new Dictionary<string, string>();
        bool isResponse = Path == "/v1/responses";
        foreach (JsonProperty member in JsonElement.Parse(isResponse ? GoodResponse : Good).EnumerateObject())
            members[member.Name] = member.Value.GetRawText();
        if (isStreamed)
            members["stream"] = "true";
        if (Text("schema") is { } schema)
        {
            string form = $"{{\"name\":\"a\",\"schema\":{Expanded(schema)}";
            if (isResponse)
                members["text"] = $"{{\"format\":{form},\"type\":\"json_schema\"}}}}";
            else
                members["response_format"] = $"{{\"type\":\"json_schema\",\"json_schema\":{form}}}}}";
        }
        if (_line.TryGetProperty("with", out JsonElement with))
        {
            foreach (JsonProperty member in with.EnumerateObject())
                members[member.Name] = Expanded(member.Value.GetRawText());
            if (with.TryGetProperty("max_tokens", out _) && !with.TryGetProperty("max_completion_tokens", out _))
                members.Remove("max_completion_tokens");
        }
        return $"{{{string.Join(',', members.Select(member => $"\"{member.Key}\":{member.Value}"))}}}";
    }

    // A quotation mark within a repeated piece ends the string that the piece stands in.
    private static string Expanded(string text) =>
        Repeated()
            .Replace(text, match =>
            {
                string piece = match.Groups[1].Value.Replace("\\\"", "\"", StringComparison.Ordinal);
                int count = int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture);
                if (!piece.Contains('#', StringComparison.Ordinal))
                    return new StringBuilder().Insert(0, piece, count).ToString();
                string[] parts = piece.Split('#');
                var all = new StringBuilder();
                for (int i = 0; i < count; i++)
                    all.AppendJoin(i.ToString(CultureInfo.InvariantCulture), parts);
                return all.ToString();
            });

    [GeneratedRegex(@"\{\{(.+?)\*(\d+)\}\}", RegexOptions.Singleline)]
    private static partial Regex Repeated();
}
