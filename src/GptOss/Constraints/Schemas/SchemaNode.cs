using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Schemas;

/// <summary>
/// A schema: the conjunction of its keywords. Without a keyword it allows every value. Schemas may refer to each other
/// in circles, so the keywords are filled in after the node is made, and do not change once all are read.
/// </summary>
/// <param name="id">Tells the nodes of a compilation apart, in the order in which they were reached.</param>
/// <param name="pointer">JSON pointer to the place in the caller's schema.</param>
internal sealed class SchemaNode(int id, string pointer)
{
    /// <summary>Tells the nodes of a compilation apart, in the order in which they were reached.</summary>
    public int Id { get; } = id;

    /// <summary>JSON pointer to the place in the caller's schema.</summary>
    public string Pointer { get; } = pointer;

    /// <summary>The schema that allows every value; denied, it allows none.</summary>
    public static SchemaNode Everything { get; } = new(int.MaxValue, "");

    /// <summary>What a value has to fit, all of it.</summary>
    public List<Keyword> Keywords { get; } = [];
}

/// <summary>What a value has to do: fit a schema, or not fit it.</summary>
/// <param name="Node">The schema that is asked for or denied.</param>
/// <param name="IsNegated">Whether the value must not fit.</param>
internal readonly record struct Goal(SchemaNode Node, bool IsNegated = false)
{
    /// <summary>The goal that no value meets.</summary>
    public static Goal Nothing => new(SchemaNode.Everything, IsNegated: true);

    /// <summary>Whether every value meets the goal, as far as can be seen at once.</summary>
    public bool IsEverything => !IsNegated && Node.Keywords.Count == 0;

    /// <summary>Whether no value meets the goal, as far as can be seen at once.</summary>
    public bool IsNothing => IsNegated ? Node.Keywords.Count == 0 : Node.Keywords is [AnyOfKeyword { Goals.Count: 0 }];

    /// <summary>The opposite of this goal.</summary>
    public Goal Not => new(Node, !IsNegated);

    /// <summary>A number for each goal of a compilation.</summary>
    public int Key => IsNegated ? ~Node.Id : Node.Id;
}

/// <summary>
/// One thing that a schema says. Keywords that belong together are one: what is said of the properties of an object
/// by <c>properties</c>, <c>patternProperties</c> and <c>additionalProperties</c>, for example.
/// </summary>
/// <param name="Pointer">JSON pointer to the keyword in the caller's schema.</param>
internal abstract record Keyword(string Pointer)
{
    /// <summary>The keyword's name, which ends its pointer.</summary>
    public string Name => Pointer[(Pointer.LastIndexOf('/') + 1)..];
}

/// <summary>The value is of one of these types.</summary>
internal sealed record TypeKeyword(string Pointer, JsonTypes Types) : Keyword(Pointer);

/// <summary>The value is one of these literals: <c>enum</c>, <c>const</c>.</summary>
internal sealed record EnumKeyword(string Pointer, IReadOnlyList<Literal> Values) : Keyword(Pointer)
{
    private HashSet<string>? _keys;

    /// <summary>Whether a literal is one of them.</summary>
    public bool Has(Literal value) => (_keys ??= Literal.KeysOf(Values)).Contains(value.Key);
}

/// <summary>The value is none of these scalars; the types that they do not have are not touched.</summary>
internal sealed record ExcludedKeyword(string Pointer, IReadOnlyList<Literal> Values) : Keyword(Pointer)
{
    private HashSet<string>? _keys;

    /// <summary>Whether a literal is one of them.</summary>
    public bool Has(Literal value) => (_keys ??= Literal.KeysOf(Values)).Contains(value.Key);
}

/// <summary>A number is not below a bound, or lies above it.</summary>
internal sealed record MinimumKeyword(string Pointer, DecimalBound Bound) : Keyword(Pointer);

/// <summary>A number is not above a bound, or lies below it.</summary>
internal sealed record MaximumKeyword(string Pointer, DecimalBound Bound) : Keyword(Pointer);

/// <summary>A number is a multiple of another one, or is none.</summary>
internal sealed record MultipleOfKeyword(string Pointer, DecimalNumber Divisor, bool IsNegated) : Keyword(Pointer);

/// <summary>How many characters a string, items an array, or properties an object has.</summary>
internal sealed record SizeKeyword(string Pointer, JsonTypes Of, int Min, int? Max) : Keyword(Pointer);

/// <summary>A string belongs to a regular language: <c>pattern</c>, <c>format</c>, <c>contentEncoding</c>.</summary>
/// <param name="Pointer">JSON pointer to the keyword in the caller's schema.</param>
/// <param name="Language">The strings that are written.</param>
/// <param name="Whole">
/// All strings that the keyword allows, where more are allowed than are written; null where that is not known, so that
/// the keyword cannot be denied.
/// </param>
internal sealed record LanguageKeyword(string Pointer, CodePointDfa Language, CodePointDfa? Whole) : Keyword(Pointer);

/// <summary>What the properties of an object have to fit, by their names.</summary>
/// <param name="Pointer">JSON pointer to the first of the keywords.</param>
/// <param name="Properties">Declared properties in the order of the schema.</param>
/// <param name="Patterns">What a property has to fit whose name belongs to a language.</param>
/// <param name="Additional">What a property fits that is neither declared nor of a pattern; null for anything.</param>
/// <param name="Declares">Whether the schema tells what an object has, and not merely what it has not.</param>
internal sealed record ObjectKeyword(
    string Pointer,
    IReadOnlyList<KeyValuePair<string, Goal>> Properties,
    IReadOnlyList<(CodePointDfa Names, Goal Value)> Patterns,
    Goal? Additional,
    bool Declares
) : Keyword(Pointer)
{
    private Dictionary<string, Goal>? _byName;

    /// <summary>The goal of a declared property; null where the name is not declared.</summary>
    public Goal? this[string name] =>
        (_byName ??= new(Properties, StringComparer.Ordinal)).TryGetValue(name, out Goal goal) ? goal : null;
}

/// <summary>The properties that an object has to have.</summary>
/// <param name="Pointer">JSON pointer to the keyword in the caller's schema.</param>
/// <param name="Names">The names that must come.</param>
/// <param name="Declares">Whether a name may come for that alone, in an object that is closed by default.</param>
internal sealed record RequiredKeyword(string Pointer, IReadOnlyList<string> Names, bool Declares) : Keyword(Pointer);

/// <summary>The properties that an object with a certain property has to have.</summary>
internal sealed record DependentRequiredKeyword(string Pointer, string If, IReadOnlyList<string> Then)
    : Keyword(Pointer);

/// <summary>What an object with a certain property has to fit as a whole.</summary>
internal sealed record DependentSchemaKeyword(string Pointer, string If, Goal Then) : Keyword(Pointer);

/// <summary>What the names of an object's properties have to fit.</summary>
internal sealed record PropertyNamesKeyword(string Pointer, Goal Names) : Keyword(Pointer);

/// <summary>An object has a property whose name is of a language and whose value fits.</summary>
/// <param name="Pointer">JSON pointer to the keyword that asks for the opposite of a schema.</param>
/// <param name="Names">The names that are looked for.</param>
/// <param name="Value">What the value has to fit.</param>
internal sealed record SomePropertyKeyword(string Pointer, CodePointDfa Names, Goal Value) : Keyword(Pointer);

/// <summary>What properties or items fit that nothing else in the schema has looked at.</summary>
internal sealed record UnevaluatedKeyword(string Pointer, JsonTypes Of, Goal Value) : Keyword(Pointer);

/// <summary>What the items of an array have to fit, by their places.</summary>
/// <param name="Pointer">JSON pointer to the first of the keywords.</param>
/// <param name="Prefix">The goals of the first items.</param>
/// <param name="Rest">The goal of all items behind them; null for anything.</param>
internal sealed record ArrayKeyword(string Pointer, IReadOnlyList<Goal> Prefix, Goal? Rest) : Keyword(Pointer);

/// <summary>No two items of an array are equal.</summary>
internal sealed record UniqueKeyword(string Pointer) : Keyword(Pointer);

/// <summary>How many items of an array fit.</summary>
internal sealed record ContainsKeyword(string Pointer, Goal Item, int Min, int? Max) : Keyword(Pointer);

/// <summary>All goals: <c>allOf</c>, <c>$ref</c>, <c>not</c>.</summary>
internal sealed record AllOfKeyword(string Pointer, IReadOnlyList<Goal> Goals) : Keyword(Pointer);

/// <summary>At least one of the goals; without any, no value fits: the schema <c>false</c>.</summary>
internal sealed record AnyOfKeyword(string Pointer, IReadOnlyList<Goal> Goals) : Keyword(Pointer);

/// <summary>Exactly one of the goals.</summary>
internal sealed record OneOfKeyword(string Pointer, IReadOnlyList<Goal> Goals) : Keyword(Pointer);

/// <summary>The second goal where the first one is met, and the third one where it is not.</summary>
internal sealed record IfKeyword(string Pointer, Goal If, Goal? Then, Goal? Else) : Keyword(Pointer);
