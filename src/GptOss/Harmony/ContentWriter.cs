using System.Text;

namespace GptOss.Harmony;

/// <summary>The text of system and developer messages: sections with a blank line between them.</summary>
internal static class ContentWriter
{
    /// <param name="content">A part of a message.</param>
    /// <param name="hasFunctions">Whether a developer message of the conversation offers functions.</param>
    /// <param name="cleanSchemas">See <see cref="RenderOptions.CleanSchemas"/>.</param>
    public static string Write(HarmonyContent content, bool hasFunctions, bool cleanSchemas) => content switch
    {
        HarmonyContent.Text text => text.Value,
        HarmonyContent.SystemInfo system => System(system, hasFunctions, cleanSchemas),
        HarmonyContent.DeveloperInfo developer => Developer(developer, cleanSchemas),
        _ => "",
    };

    private static string System(HarmonyContent.SystemInfo system, bool hasFunctions, bool cleanSchemas)
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
            sections.Add(Tools(system.Tools, cleanSchemas));
        if (system.Channels.Count > 0)
        {
            sections.Add($"# Valid channels: {string.Join(", ", system.Channels)}."
                + (system.ChannelRequired ? " Channel must be included for every message." : "")
                + (hasFunctions ? "\nCalls to these tools must go to the commentary channel: 'functions'." : ""));
        }
        return string.Join("\n\n", sections);
    }

    private static string Developer(HarmonyContent.DeveloperInfo developer, bool cleanSchemas)
    {
        var sections = new List<string>();
        if (developer.Instructions is { } instructions)
            sections.AddRange(["# Instructions", instructions]);
        if (developer.Tools.Count > 0)
            sections.Add(Tools(developer.Tools, cleanSchemas));
        if (developer.ResponseFormats.Count > 0)
        {
            sections.Add("# Response Formats");
            sections.AddRange(developer.ResponseFormats.Select(Format));
        }
        return string.Join("\n\n", sections);
    }

    private static string Format(ResponseFormat format)
    {
        string comment = string.Concat(Lines(format.Description ?? "").Select(line => $"// {line}\n"));
        return $"## {format.Name}\n\n{comment}{JsonText.Compact(format.Schema)}";
    }

    private static string Tools(IEnumerable<ToolNamespace> namespaces, bool cleanSchemas)
    {
        // The reference keeps namespaces in a map sorted by the bytes of their names.
        var sorted = new SortedDictionary<string, ToolNamespace>(
            Comparer<string>.Create((a, b) => Bytes(a).SequenceCompareTo(Bytes(b))));
        foreach (ToolNamespace tools in namespaces)
            sorted[tools.Name] = tools;
        return string.Join("\n\n", sorted.Values.Select(tools => Namespace(tools, cleanSchemas)).Prepend("# Tools"));

        static ReadOnlySpan<byte> Bytes(string name) => Encoding.UTF8.GetBytes(name);
    }

    private static string Namespace(ToolNamespace tools, bool cleanSchemas)
    {
        bool hasFunctions = tools.Functions.Count > 0;
        var lines = new List<string> { $"## {tools.Name}\n" };
        lines.AddRange(Lines(tools.Description ?? "").Select(line => hasFunctions ? $"// {line}" : line));
        if (hasFunctions)
        {
            lines.Add($"namespace {tools.Name} {{\n");
            foreach (ToolFunction function in tools.Functions)
            {
                ToolFunction written = cleanSchemas ? SchemaCleaner.Clean(function) : function;
                lines.AddRange(Lines(written.Description).Select(line => $"// {line}"));
                string parameter = written.Parameters is { } schema ? $"_: {ToolSchemaWriter.Write(schema)}" : "";
                lines.Add($"type {written.Name} = ({parameter}) => any;\n");
            }
            lines.Add($"}} // namespace {tools.Name}");
        }
        return string.Join('\n', lines);
    }

    /// <summary>Ends at LF or CR LF, at nothing else; what follows the last end counts only if it is not empty.</summary>
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
