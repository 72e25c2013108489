using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using GptOss.AspNetCore.Faults;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Requests;

/// <summary>A tool that a request offers.</summary>
/// <param name="Declaration">The function as the model sees it.</param>
/// <param name="Place">The place in the body of what describes the function's arguments.</param>
internal sealed record AskedTool(AIFunctionDeclaration Declaration, string Place)
{
    /// <summary>Whether the client gets the bare text in place of arguments in JSON.</summary>
    public bool IsFreeform { get; init; }

    /// <summary>The group of tools that it belongs to; null for none.</summary>
    public string? Namespace { get; init; }

    /// <summary>The name within the group.</summary>
    public string BareName => Declaration.Name[AskedTools.Full(Namespace, "").Length..];
}

/// <summary>The tools of one request: every dialect spells them in its own way, and all share their limits.</summary>
internal sealed partial class AskedTools
{
    /// <summary>The one argument of a freeform tool, in which the model writes the text.</summary>
    public const string FreeformArgument = "input";

    private const int Most = 512,
        LongestDescription = 65_536,
        LongestGrammar = 16 << 10;

    private static readonly JsonElement NoArguments = JsonElement.Parse("""{"type":"object","properties":{}}"""),
        FreeformArguments = JsonElement.Parse(
            """
            {"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}
            """
        );

    private readonly Dictionary<string, AskedTool> _tools = [];

    /// <summary>All tools, in the order of the request.</summary>
    public IReadOnlyCollection<AskedTool> All => _tools.Values;

    /// <summary>The tool of a name; null where the request does not offer it.</summary>
    public AskedTool? Find(string name) => _tools.GetValueOrDefault(name);

    /// <summary>The items of a list of tools.</summary>
    public static IReadOnlyList<WireValue> Items(WireValue tools) => tools.Items(Most, "a list of tools");

    /// <summary>The name by which the model knows a tool of a group: both names with two underscores between.</summary>
    /// <param name="space">The name of the group; null for a tool that belongs to none.</param>
    /// <param name="name">The name of the tool within the group.</param>
    public static string Full(string? space, string name) => space is null ? name : $"{space}__{name}";

    /// <summary>Adds a function whose arguments are JSON.</summary>
    /// <param name="name">The field that holds the name.</param>
    /// <param name="description">The field that describes it; may be absent.</param>
    /// <param name="schema">The JSON Schema of its arguments; absent for none.</param>
    /// <param name="isStrict">Whether arguments are held to the schema.</param>
    /// <param name="space">The group that the tool belongs to; null for none.</param>
    /// <exception cref="FaultException">A field is wrong, or the name was given before.</exception>
    public void AddFunction(
        WireValue name,
        WireValue description,
        WireValue schema,
        bool isStrict = false,
        string? space = null
    )
    {
        if (!schema.IsAbsent && !schema.IsObject)
            throw schema.WrongType("an object, a JSON Schema");
        Add(
            name,
            AIFunctionFactory.CreateDeclaration(
                Name(name, space),
                description.Text(LongestDescription),
                schema.IsAbsent ? NoArguments : schema.Copy()
            ),
            schema.Place,
            isStrict,
            isFreeform: false,
            space
        );
    }

    /// <summary>Adds a tool to which the model writes plain text, such as a patch.</summary>
    /// <param name="name">The field that holds the name.</param>
    /// <param name="description">The field that describes it; may be absent.</param>
    /// <param name="grammar">The text of the grammar that its input follows; absent for none.</param>
    /// <param name="space">The group that the tool belongs to; null for none.</param>
    /// <exception cref="FaultException">A field is wrong, or the name was given before.</exception>
    public void AddFreeform(WireValue name, WireValue description, WireValue grammar, string? space = null)
    {
        string? text = description.Text(LongestDescription);
        if (grammar.Text(LongestGrammar) is { } rules)
            text = $"{text}\n\nThe input follows this grammar:\n{rules}".TrimStart();
        Add(
            name,
            AIFunctionFactory.CreateDeclaration(Name(name, space), text, FreeformArguments),
            name.Place,
            isStrict: false,
            isFreeform: true,
            space
        );
    }

    /// <summary>Keeps only the tools of these names, which the request offers.</summary>
    public void Keep(IReadOnlyCollection<string> names)
    {
        foreach (string name in _tools.Keys.Except(names).ToArray())
            _tools.Remove(name);
    }

    /// <summary>Leaves a tool of the request out of the prompt's list, though the model may call it.</summary>
    public void Hide(string name) =>
        _tools[name] = _tools[name] with { Declaration = new MarkedTool(_tools[name].Declaration, MarkedTool.Hidden) };

    /// <summary>Whether a text can be the name of a tool.</summary>
    public static bool IsName(string name) => NamePattern().IsMatch(name);

    private void Add(
        WireValue name,
        AIFunctionDeclaration declaration,
        string place,
        bool isStrict,
        bool isFreeform,
        string? space
    )
    {
        var tool = new AskedTool(isStrict ? new MarkedTool(declaration, MarkedTool.Strict) : declaration, place)
        {
            IsFreeform = isFreeform,
            Namespace = space,
        };
        if (!_tools.TryAdd(declaration.Name, tool))
            throw name.WrongValue("a name of its own", $"{Fault.Quote(declaration.Name)}, which another tool has");
        if (_tools.Count > Most)
            throw name.Wrong(
                "array_above_max_length",
                string.Create(CultureInfo.InvariantCulture, $"There are more than {Most} tools.")
            );
    }

    private static string Name(WireValue field, string? space)
    {
        string name = Full(space, field.Needed("the name of the tool").Text()!);
        return IsName(name)
            ? name
            : throw field.WrongValue("1 to 128 letters, digits, '_', '.' or '-'", Fault.Quote(name));
    }

    [GeneratedRegex(@"\A[A-Za-z0-9_.-]{1,128}\z")]
    private static partial Regex NamePattern();
}
