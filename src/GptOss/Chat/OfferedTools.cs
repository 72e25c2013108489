using System.Text.Json;
using GptOss.Harmony;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>
/// The functions that a request offers to the model, and the translation of their names: the model sees identifiers,
/// so that a caller's <c>weather.today</c> is <c>weather_today</c> to it.
/// </summary>
internal sealed class OfferedTools
{
    /// <summary>The property of a function that the prompt does not list, with the value true.</summary>
    private const string HiddenKey = "harmony.hidden";

    /// <summary>The property, with the value true, of a function whose arguments are held to its schema.</summary>
    private const string StrictKey = "strict";

    private readonly Dictionary<string, string> _identifiers = [];
    private readonly Dictionary<string, string> _names = [];
    private readonly HashSet<string> _strict = [];

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
        AIFunctionDeclaration[] listed = [.. functions.Where(function => !IsHidden(function))];
        AIFunctionDeclaration[] all = [.. listed, .. functions.Where(IsHidden)];
        // A function that is hidden must not change the name of one that is listed, and so the prompt: where both would
        // have the same, the hidden one has another.
        IReadOnlyList<string> identifiers = ToolNames.Identifiers([
            .. ToolNames.Identifiers([.. listed.Select(function => function.Name)]),
            .. all.Skip(listed.Length).Select(function => function.Name),
        ]);
        for (int i = 0; i < all.Length; i++)
        {
            _identifiers.TryAdd(all[i].Name, identifiers[i]);
            _names[identifiers[i]] = all[i].Name;
            if (IsMarked(all[i], StrictKey))
                _strict.Add(identifiers[i]);
        }
        Functions = areOffered ? [.. all.Select((function, i) => Function(function, identifiers[i]))] : [];
        Listed = areOffered ? [.. Functions.Take(listed.Length)] : [];
        Names = new ToolNames(Functions.Select(function => function.Name));
    }

    /// <summary>The functions that the model may call; empty where the tool mode forbids calls.</summary>
    public IReadOnlyList<ToolFunction> Functions { get; }

    /// <summary>Those of <see cref="Functions"/> that the prompt shows to the model.</summary>
    public IReadOnlyList<ToolFunction> Listed { get; }

    /// <summary>The names that the model sees, by which a parser knows a call's recipient.</summary>
    public ToolNames Names { get; }

    /// <summary>
    /// The functions of the options. Tools of other kinds, such as a hosted web search, are left out, as other clients
    /// do.
    /// </summary>
    /// <exception cref="ArgumentException">Two functions have one name.</exception>
    public static OfferedTools From(ChatOptions? options) =>
        new(
            [.. options?.Tools?.OfType<AIFunctionDeclaration>().Distinct() ?? []],
            options?.ToolMode is not NoneChatToolMode
        );

    /// <summary>The text by which a prompt would list a function.</summary>
    /// <exception cref="ArgumentException">The function has no name.</exception>
    public static string Describe(AIFunctionDeclaration function) =>
        new ContentWriter(hasFunctions: true, new RenderOptions { CleanSchemas = true }).Write(
            new OfferedTools([function], areOffered: true).Functions[0]
        );

    /// <summary>Whether a function is marked as one whose arguments are held to its schema.</summary>
    public bool IsStrict(ToolFunction function) => _strict.Contains(function.Name);

    /// <summary>Whether a function of the caller's name is offered.</summary>
    public bool Offers(string name) =>
        _identifiers.TryGetValue(name, out string? identifier) && Names.Offers(identifier);

    /// <summary>
    /// The recipient of a call in Harmony, such as <c>functions.weather_today</c>, for a function of the caller's name,
    /// even if this request does not offer it.
    /// </summary>
    public string Recipient(string name)
    {
        if (_identifiers.TryGetValue(name, out string? identifier))
            return ToolNames.FunctionsPrefix + identifier;
        return BuiltInTools.IsBuiltIn(name) ? name : ToolNames.FunctionsPrefix + ToolNames.Identifiers([name])[0];
    }

    /// <summary>
    /// The caller's name of the function that a recipient means. A function that is not among the options' tools keeps
    /// the name that the model gave it.
    /// </summary>
    public string NameOf(string recipient)
    {
        string bare = recipient.StartsWith(ToolNames.FunctionsPrefix, StringComparison.Ordinal)
            ? recipient[ToolNames.FunctionsPrefix.Length..]
            : recipient;
        return _names.GetValueOrDefault(bare, bare);
    }

    private static ToolFunction Function(AIFunctionDeclaration function, string identifier) =>
        new(
            identifier,
            function.Description ?? "",
            function.JsonSchema.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null ? null : function.JsonSchema
        );

    private static bool IsHidden(AIFunctionDeclaration function) => IsMarked(function, HiddenKey);

    // The property may have been read from JSON.
    private static bool IsMarked(AIFunctionDeclaration function, string key) =>
        function.AdditionalProperties.TryGetValue(key, out object? mark)
        && mark is true or JsonElement { ValueKind: JsonValueKind.True };
}
