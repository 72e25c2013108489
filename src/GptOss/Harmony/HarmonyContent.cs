using System.Text.Json;

namespace GptOss.Harmony;

/// <summary>How long the model is told to think before it answers.</summary>
internal enum Effort
{
    Low,
    Medium,
    High,
}

/// <summary>
/// A part of a message of Harmony, before it is written as text: plain text, or what a system or developer message
/// consists of.
/// </summary>
internal abstract record HarmonyContent
{
    private HarmonyContent() { }

    /// <summary>Text that is written as it is.</summary>
    internal sealed record PlainText(string Value) : HarmonyContent;

    /// <summary>
    /// The content of a system message: what the model is told about itself. Null, or an empty list, leaves a section
    /// out.
    /// </summary>
    internal sealed record SystemInfo : HarmonyContent
    {
        /// <summary>The first sentence of every prompt, as in the model's training.</summary>
        public string? ModelIdentity { get; init; } = "You are ChatGPT, a large language model trained by OpenAI.";

        /// <summary>The month in which the model's training data ends.</summary>
        public string? KnowledgeCutoff { get; init; } = "2024-06";

        /// <summary>The day of the request, written <c>YYYY-MM-DD</c> by convention.</summary>
        public string? CurrentDate { get; init; }

        /// <summary>How long the model thinks before it answers.</summary>
        public Effort? ReasoningEffort { get; init; } = Effort.Medium;

        /// <summary>The channels that the model may write on.</summary>
        public IReadOnlyList<string> Channels { get; init; } = ChannelNames.All;

        /// <summary>Whether the model is told to name a channel in every message.</summary>
        public bool ChannelRequired { get; init; } = true;

        /// <summary>The tools of <see cref="BuiltInTools"/> that the model may use.</summary>
        public IReadOnlyList<ToolNamespace> Tools { get; init; } = [];
    }

    /// <summary>
    /// The content of a developer message, which holds a caller's system prompt: instructions, functions, forms of the
    /// answer.
    /// </summary>
    internal sealed record DeveloperInfo : HarmonyContent
    {
        /// <summary>The caller's instructions. Null leaves the section out, and "" writes its heading alone.</summary>
        public string? Instructions { get; init; }

        /// <summary>The functions that the model may call.</summary>
        public IReadOnlyList<ToolNamespace> Tools { get; init; } = [];

        /// <summary>The forms of which the answer shall have one.</summary>
        public IReadOnlyList<ResponseFormat> ResponseFormats { get; init; } = [];
    }
}

/// <summary>
/// Functions that a prompt offers under one name, such as <c>functions</c>. Of two namespaces of one name the later
/// counts.
/// </summary>
internal sealed record ToolNamespace(string Name, string? Description, IReadOnlyList<ToolFunction> Functions)
{
    /// <summary>The namespace of a caller's functions.</summary>
    public const string FunctionsName = "functions";
}

/// <summary>A function that the model may call, as a prompt describes it.</summary>
/// <param name="Name">The name that the model sees, made fit by <see cref="ToolNames.Identifiers"/>.</param>
/// <param name="Description">What the function does; "" where nobody has said.</param>
/// <param name="Parameters">A JSON schema; null for a function without parameters.</param>
internal sealed record ToolFunction(string Name, string Description, JsonElement? Parameters);

/// <summary>
/// A form that an answer shall have, as a JSON schema with a name. The prompt shows the schema to the model; nothing
/// here enforces it.
/// </summary>
internal sealed record ResponseFormat(string Name, string? Description, JsonElement Schema);
