using System.Text.Json;

namespace GptOss.Harmony;

/// <summary>
/// The two tools that gpt-oss was trained with, a browser and a Python notebook, as a system message shows them. Their
/// texts are those of the test data of OpenAI's harmony library.
/// </summary>
internal static class BuiltInTools
{
    /// <summary>The namespace of the browser's functions.</summary>
    public const string BrowserName = "browser";

    /// <summary>The recipient of Python code.</summary>
    public const string PythonName = "python";

    private const string Number = """{"type":"number","default":-1}""";
    private const string Text = """{"type":"string"}""";

    /// <summary>The browser, with the functions <c>search</c>, <c>open</c> and <c>find</c>.</summary>
    public static ToolNamespace Browser { get; } =
        new(
            BrowserName,
            """
            Tool for browsing.
            The `cursor` appears in brackets before each browsing display: `[{cursor}]`.
            Cite information from the tool using the following format:
            `【{cursor}†L{line_start}(-L{line_end})?】`, for example: `【6†L9-L11】` or `【8†L3】`.
            Do not quote more than 10 words directly from the tool output.
            sources=web (default: web)
            """.ReplaceLineEndings("\n"),
            [
                Function(
                    "search",
                    "Searches for information related to `query` and displays `topn` results.",
                    required: "query",
                    ("query", Text),
                    ("topn", """{"type":"number","default":10}"""),
                    ("source", Text)
                ),
                Function(
                    "open",
                    """
                    Opens the link `id` from the page indicated by `cursor` starting at line number `loc`, showing `num_lines` lines.
                    Valid link ids are displayed with the formatting: `【{id}†.*】`.
                    If `cursor` is not provided, the most recent page is implied.
                    If `id` is a string, it is treated as a fully qualified URL associated with `source`.
                    If `loc` is not provided, the viewport will be positioned at the beginning of the document or centered on the most relevant passage, if available.
                    Use this function without `id` to scroll to a new location of an opened page.
                    """,
                    required: null,
                    ("id", """{"type":["number","string"],"default":-1}"""),
                    ("cursor", Number),
                    ("loc", Number),
                    ("num_lines", Number),
                    ("view_source", """{"type":"boolean","default":false}"""),
                    ("source", Text)
                ),
                Function(
                    "find",
                    "Finds exact matches of `pattern` in the current page, or the page given by `cursor`.",
                    required: "pattern",
                    ("pattern", Text),
                    ("cursor", Number)
                ),
            ]
        );

    /// <summary>The Python notebook. It has no functions: the text of a call is source code.</summary>
    public static ToolNamespace Python { get; } =
        new(
            PythonName,
            """
            Use this tool to execute Python code in your chain of thought. The code will not be shown to the user. This tool should be used for internal reasoning, but not for code that is intended to be visible to the user (e.g. when creating plots, tables, or files).

            When you send a message containing Python code to python, it will be executed in a stateful Jupyter notebook environment. python will respond with the output of the execution or time out after 120.0 seconds. The drive at '/mnt/data' can be used to save and persist user files. Internet access for this session is UNKNOWN. Depends on the cluster.
            """.ReplaceLineEndings("\n"),
            []
        );

    /// <summary>Whether a recipient is one of the tools that the model knows from its training.</summary>
    public static bool IsBuiltIn(string recipient) =>
        recipient is PythonName or BrowserName
        || recipient.StartsWith("browser.", StringComparison.Ordinal)
        || recipient.StartsWith("container.", StringComparison.Ordinal);

    private static ToolFunction Function(
        string name,
        string description,
        string? required,
        params (string Name, string Schema)[] properties
    )
    {
        string list = string.Join(',', properties.Select(property => $"\"{property.Name}\":{property.Schema}"));
        string needed = required is null ? "" : $",\"required\":[\"{required}\"]";
        using JsonDocument schema = JsonDocument.Parse($$"""{"type":"object","properties":{{{list}}}{{needed}}}""");
        return new ToolFunction(name, description.ReplaceLineEndings("\n"), schema.RootElement.Clone());
    }
}
