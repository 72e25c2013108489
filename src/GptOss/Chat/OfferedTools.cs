using System.Text.Json;
using GptOss.Harmony;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>The functions of a request, under the caller's names and under those that the model sees.</summary>
internal sealed class OfferedTools
{
    private readonly Dictionary<string, string> _identifiers = [];
    private readonly Dictionary<string, string> _names = [];

    private OfferedTools(IReadOnlyList<AIFunctionDeclaration> functions, bool areOffered)
    {
        var names = new HashSet<string>();
        foreach (AIFunctionDeclaration function in functions)
        {
            if (function.Name is null)
                throw new ArgumentException(
                    $"ChatOptions.Tools holds a function ({function.GetType().Name}) without a name. Give it one."
                );
            if (!names.Add(function.Name))
            {
                throw new ArgumentException(
                    $"ChatOptions.Tools holds two functions named '{Printable.Name(function.Name)}': a call "
                        + "could not tell which of them is meant. Give each a name of its own."
                );
            }
        }
        IReadOnlyList<string> identifiers = ToolNames.Identifiers([.. functions.Select(function => function.Name)]);
        for (int i = 0; i < functions.Count; i++)
        {
            _identifiers.TryAdd(functions[i].Name, identifiers[i]);
            _names[identifiers[i]] = functions[i].Name;
        }
        Functions = areOffered
            ?
            [
                .. functions.Select(
                    (function, i) =>
                        new ToolFunction(
                            identifiers[i],
                            function.Description ?? "",
                            function.JsonSchema.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null
                                ? null
                                : function.JsonSchema
                        )
                ),
            ]
            : [];
        Names = new ToolNames(Functions.Select(function => function.Name));
    }

    /// <summary>What the model is shown; empty where the tool mode forbids calls.</summary>
    public IReadOnlyList<ToolFunction> Functions { get; }

    public ToolNames Names { get; }

    /// <summary>
    /// Of all kinds of tools only functions can be offered; others are left out, as other clients do.
    /// </summary>
    /// <exception cref="ArgumentException">Two functions have one name.</exception>
    public static OfferedTools From(ChatOptions? options) =>
        new(
            [.. options?.Tools?.OfType<AIFunctionDeclaration>().Distinct() ?? []],
            options?.ToolMode is not NoneChatToolMode
        );

    /// <summary>Whether a function of the caller's name is offered.</summary>
    public bool Offers(string name) =>
        _identifiers.TryGetValue(name, out string? identifier) && Names.Offers(identifier);

    /// <summary>The recipient of a call to a function of the caller's name, be it offered now or not.</summary>
    public string Recipient(string name)
    {
        if (_identifiers.TryGetValue(name, out string? identifier))
            return ToolNames.FunctionsPrefix + identifier;
        return BuiltInTools.IsBuiltIn(name) ? name : ToolNames.FunctionsPrefix + ToolNames.Identifiers([name])[0];
    }

    /// <summary>
    /// The caller's name of the function that a recipient means; a name that was not offered stays as it is.
    /// </summary>
    public string NameOf(string recipient)
    {
        string bare = recipient.StartsWith(ToolNames.FunctionsPrefix, StringComparison.Ordinal)
            ? recipient[ToolNames.FunctionsPrefix.Length..]
            : recipient;
        return _names.GetValueOrDefault(bare, bare);
    }
}
