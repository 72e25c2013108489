using System.Text;
using System.Text.Json;
using GptOss.Harmony;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>What a request wants of the turn, before it is compiled.</summary>
/// <param name="options">The options of the caller.</param>
/// <param name="own">The options that only this client has.</param>
/// <param name="tools">All functions that are offered.</param>
/// <param name="functions">The functions that may be called.</param>
internal sealed class WantedTurn(
    ChatOptions options,
    GptOssRequestOptions own,
    OfferedTools tools,
    IReadOnlyList<ToolFunction> functions
)
{
    /// <summary>The options that only this client has.</summary>
    public GptOssRequestOptions Own => own;

    /// <summary>The functions that may be called.</summary>
    public IReadOnlyList<ToolFunction> Functions => functions;

    /// <summary>The caller's name of a function.</summary>
    public string NameOf(ToolFunction function) => tools.NameOf(function.Name);

    /// <summary>Whether the final answer is held to a form.</summary>
    public required bool HasForm { get; init; }

    /// <summary>Whether the arguments of every call are held to their function's schema.</summary>
    public required bool IsStrict { get; init; }

    /// <summary>Whether arguments of this function are held to its schema, and not to any JSON object.</summary>
    public bool HoldsArguments(ToolFunction function) => IsStrict || tools.IsStrict(function);

    /// <summary>Whether the turn has to end in a call.</summary>
    public required bool IsRequired { get; init; }

    /// <summary>The form of the answer in JSON; null where it has none.</summary>
    public ChatResponseFormatJson? Format => HasForm ? options.ResponseFormat as ChatResponseFormatJson : null;

    /// <summary>Whether the turn may begin with reasoning, as the caller's own beginning of it may have done.</summary>
    public bool HasReasoning =>
        own.RawHarmonyText is not null
        || (options.Reasoning?.Effort != ReasoningEffort.None && own.ReasoningBudget != 0);

    /// <summary>Whether no white space comes between the tokens of JSON.</summary>
    public bool IsCompact => own.Schemas.Compact || (HasForm && own.Grammar is { IsCompact: true });

    /// <summary>What the answer is held to, for messages.</summary>
    public string Name =>
        HasForm && own.Grammar is not null ? "GptOssRequestOptions.Grammar"
        : HasForm ? "ChatOptions.ResponseFormat"
        : functions.Any(HoldsArguments) ? "the schema of a function"
        : "the format of a turn";

    /// <summary>Everything that the compiled turn depends on, so that equal keys mean equal turns.</summary>
    public string Key
    {
        get
        {
            var key = new StringBuilder();
            Add($"{HasReasoning} {IsRequired} {HasForm} {IsCompact} {own.FreeCalls}");
            Add($"{own.Schemas.Objects} {own.Schemas.Order} {own.Schemas.Relax}");
            Add(HasForm && own.Grammar is { } grammar ? grammar.Key : "");
            Add(Format is { } format ? Text(format.Schema) : "");
            foreach (ToolFunction function in functions)
            {
                Add(function.Name);
                Add(NameOf(function));
                Add(HoldsArguments(function) ? Text(function.Parameters) : "");
            }
            return key.ToString();

            // The length in front keeps two parts from being read as others.
            void Add(string part) => key.Append(part.Length).Append(':').Append(part);
        }
    }

    private static string Text(JsonElement? schema) => schema is { } given ? given.GetRawText() : "null";
}
