using GptOss.Harmony;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>The functions of a request. Tools that are no functions are left out, as other providers do.</summary>
internal sealed class OfferedTools
{
    private OfferedTools(IReadOnlyList<AIFunctionDeclaration> functions)
    {
        IReadOnlyList<string> identifiers = ToolNames.Identifiers([.. functions.Select(function => function.Name)]);
        Functions = [.. functions.Select((function, i) => new ToolFunction(identifiers[i], function.Description, function.JsonSchema))];
        Names = new ToolNames(identifiers);
        for (int i = 0; i < functions.Count; i++)
        {
            _harmonyNames.TryAdd(functions[i].Name, identifiers[i]);
            _originalNames.TryAdd(identifiers[i], functions[i].Name);
        }
    }

    private readonly Dictionary<string, string> _harmonyNames = [], _originalNames = [];

    public IReadOnlyList<ToolFunction> Functions { get; }

    public ToolNames Names { get; }

    /// <summary>The caller's names to those that the model sees: TypeScript identifiers.</summary>
    public IReadOnlyDictionary<string, string> HarmonyNames => _harmonyNames;

    /// <summary>And back.</summary>
    public IReadOnlyDictionary<string, string> OriginalNames => _originalNames;

    public static OfferedTools Of(ChatOptions? options) =>
        new(options?.ToolMode is NoneChatToolMode ? [] : [.. (options?.Tools ?? []).OfType<AIFunctionDeclaration>()]);

    /// <summary>The recipient of a call; also of functions that are no longer offered.</summary>
    public string Recipient(string name) =>
        ToolNames.FunctionsPrefix + (_harmonyNames.TryGetValue(name, out string? known) ? known : ToolNames.Identifiers([name])[0]);
}
