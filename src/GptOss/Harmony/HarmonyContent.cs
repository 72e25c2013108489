using System.Text.Json;

namespace GptOss.Harmony;

/// <summary>How long the model thinks before it answers.</summary>
internal enum Effort
{
    Low,
    Medium,
    High,
}

/// <summary>A part of a message.</summary>
internal abstract record HarmonyContent
{
    private HarmonyContent() { }

    /// <summary>Text as it is.</summary>
    internal sealed record Text(string Value) : HarmonyContent;

    /// <summary>What the model is told about itself; null, or an empty list, leaves a section out.</summary>
    internal sealed record SystemInfo : HarmonyContent
    {
        public string? ModelIdentity { get; init; } = "You are ChatGPT, a large language model trained by OpenAI.";

        public string? KnowledgeCutoff { get; init; } = "2024-06";

        /// <summary><c>YYYY-MM-DD</c> by convention.</summary>
        public string? CurrentDate { get; init; }

        public Effort? ReasoningEffort { get; init; } = Effort.Medium;

        public IReadOnlyList<string> Channels { get; init; } = ChannelNames.All;

        public bool ChannelRequired { get; init; } = true;

        /// <summary>Built-in tools; see <see cref="BuiltInTools"/>.</summary>
        public IReadOnlyList<ToolNamespace> Tools { get; init; } = [];
    }

    /// <summary>What a caller's system prompt becomes: instructions, functions, forms of the answer.</summary>
    internal sealed record DeveloperInfo : HarmonyContent
    {
        /// <summary>Null leaves the section out; "" writes its heading.</summary>
        public string? Instructions { get; init; }

        public IReadOnlyList<ToolNamespace> Tools { get; init; } = [];

        public IReadOnlyList<ResponseFormat> ResponseFormats { get; init; } = [];
    }
}

/// <summary>Functions that are offered together. Of two namespaces of one name the later counts.</summary>
internal sealed record ToolNamespace(string Name, string? Description, IReadOnlyList<ToolFunction> Functions)
{
    /// <summary>The namespace of a caller's functions.</summary>
    public const string FunctionsName = "functions";
}

/// <summary>A function that the model may call.</summary>
/// <param name="Name">Written as it is; see <see cref="ToolNames.Identifiers"/>.</param>
/// <param name="Description">"" for none.</param>
/// <param name="Parameters">A JSON schema; null for a function without parameters.</param>
internal sealed record ToolFunction(string Name, string Description, JsonElement? Parameters);

/// <summary>A form that an answer shall have. It is shown to the model; nothing here enforces it.</summary>
internal sealed record ResponseFormat(string Name, string? Description, JsonElement Schema);
