using System.Text;

namespace GptOss.Harmony;

/// <summary>
/// Writes the text of system and developer messages: the model's identity and date, the instructions, the tools as
/// TypeScript and the forms of the answer, as sections with a blank line between them.
/// </summary>
/// <param name="hasFunctions">Whether a developer message of the conversation offers functions.</param>
/// <param name="options">How schemas are written, and who is told where one is shortened.</param>
internal sealed class ContentWriter(bool hasFunctions, RenderOptions options)
{
    /// <summary>
    /// The text of one content, byte for byte as OpenAI's harmony library writes it, except for functions' schemas
    /// where <see cref="RenderOptions.CleanSchemas"/> is set.
    /// </summary>
    public string Write(HarmonyContent content) =>
        content switch
        {
            HarmonyContent.PlainText text => text.Value,
            HarmonyContent.SystemInfo system => System(system),
            HarmonyContent.DeveloperInfo developer => Developer(developer),
            _ => "",
        };

    /// <summary>The text of one function: its description as comments, and its type.</summary>
    public string Write(ToolFunction function)
    {
        options.Cancellation.ThrowIfCancellationRequested();
        IEnumerable<string> description =
            options.CleanSchemas && function.Description.Length > 0
                ? SchemaText.Lines(function.Description)
                : Lines(function.Description);
        string parameter = Parameters(function) is { } type ? $"_: {type}" : "";
        return string.Join(
            '\n',
            description.Select(line => $"// {line}").Append($"type {function.Name} = ({parameter}) => any;")
        );
    }

    private string System(HarmonyContent.SystemInfo system)
    {
        var sections = new List<string>();
        string[] top =
        [
            .. new[]
            {
                system.ModelIdentity,
                system.KnowledgeCutoff is { } cutoff ? $"Knowledge cutoff: {cutoff}" : null,
                system.CurrentDate is { } date ? $"Current date: {date}" : null,
            }.OfType<string>(),
        ];
        if (top.Length > 0)
            sections.Add(string.Join('\n', top));
        if (system.ReasoningEffort is { } effort)
            sections.Add($"Reasoning: {effort switch { Effort.Low => "low", Effort.Medium => "medium", _ => "high" }}");
        if (system.Tools.Count > 0)
            sections.Add(Tools(system.Tools));
        if (system.Channels.Count > 0)
        {
            sections.Add(
                $"# Valid channels: {string.Join(", ", system.Channels)}."
                    + (system.ChannelRequired ? " Channel must be included for every message." : "")
                    + (hasFunctions ? "\nCalls to these tools must go to the commentary channel: 'functions'." : "")
            );
        }
        return string.Join("\n\n", sections);
    }

    private string Developer(HarmonyContent.DeveloperInfo developer)
    {
        var sections = new List<string>();
        if (developer.Instructions is { } instructions)
            sections.AddRange(["# Instructions", instructions]);
        if (developer.Tools.Count > 0)
            sections.Add(Tools(developer.Tools));
        if (developer.ResponseFormats.Count > 0)
        {
            sections.Add("# Response Formats");
            sections.AddRange(developer.ResponseFormats.Select(Format));
        }
        return string.Join("\n\n", sections);
    }

    private string Format(ResponseFormat format)
    {
        string comment = string.IsNullOrEmpty(format.Description)
            ? ""
            : string.Concat(SchemaText.Lines(format.Description).Select(line => $"// {line}\n"));
        string schema = SchemaText.Json(format.Schema, () =>
            options.Shortened?.Invoke(
                $"The schema of the response format '{Printable.Name(format.Name)}' is nested too deeply. What lies "
                    + $"deeper is shown to the model as {{}}."
            )
        );
        return $"## {string.Join(' ', SchemaText.Lines(format.Name))}\n\n{comment}{schema}";
    }

    private string Tools(IEnumerable<ToolNamespace> namespaces)
    {
        // OpenAI's harmony library sorts namespaces by the bytes of their names.
        var sorted = new SortedDictionary<string, ToolNamespace>(
            Comparer<string>.Create((a, b) => Bytes(a).SequenceCompareTo(Bytes(b)))
        );
        foreach (ToolNamespace tools in namespaces)
            sorted[tools.Name] = tools;
        return string.Join("\n\n", sorted.Values.Select(tools => Namespace(tools)).Prepend("# Tools"));

        static ReadOnlySpan<byte> Bytes(string name) => Encoding.UTF8.GetBytes(name);
    }

    private string Namespace(ToolNamespace tools)
    {
        bool hasFunctions = tools.Functions.Count > 0;
        var lines = new List<string> { $"## {tools.Name}\n" };
        lines.AddRange(Lines(tools.Description ?? "").Select(line => hasFunctions ? $"// {line}" : line));
        if (hasFunctions)
        {
            lines.Add($"namespace {tools.Name} {{\n");
            lines.AddRange(tools.Functions.Select(function => $"{Write(function)}\n"));
            lines.Add($"}} // namespace {tools.Name}");
        }
        return string.Join('\n', lines);
    }

    private string? Parameters(ToolFunction function)
    {
        if (options.CleanSchemas)
            return SchemaCleaner.Parameters(function, options.Shortened);
        if (function.Parameters is not { } schema)
            return null;
        string type = ToolSchemaWriter.Write(schema, out bool isCut);
        if (isCut)
            options.Shortened?.Invoke(SchemaCleaner.Sentence(function.Name, ToolSchemaWriter.TooDeep));
        return type;
    }

    /// <summary>
    /// The lines of a text, each ended by LF or CR LF. An empty text behind the last line end is not a line.
    /// </summary>
    private static IEnumerable<string> Lines(string text)
    {
        string[] pieces = text.Split('\n');
        for (int i = 0; i < pieces.Length; i++)
        {
            bool last = i == pieces.Length - 1;
            if (last && pieces[i].Length == 0)
                yield break;
            yield return !last && pieces[i].EndsWith('\r') ? pieces[i][..^1] : pieces[i];
        }
    }
}
