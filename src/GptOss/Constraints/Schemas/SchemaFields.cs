namespace GptOss.Constraints.Schemas;

/// <summary>
/// The members of one schema by their names. All names have been looked at: one that is a slip of the pen away from a
/// keyword is an error, another unknown one says nothing.
/// </summary>
internal sealed class SchemaFields
{
    private readonly Dictionary<string, SchemaValue> _fields = new(StringComparer.Ordinal);

    /// <param name="schema">The schema, which is an object.</param>
    /// <param name="leftOut">Pointers to keywords that are read as if they were not there.</param>
    public SchemaFields(SchemaValue schema, IReadOnlySet<string> leftOut)
    {
        Pointer = schema.Pointer;
        foreach ((string name, SchemaValue value) in schema.Members())
        {
            if (KeywordNames.MeantBy(name) is string keyword)
                throw SchemaErrors.Slip(value.Pointer, keyword);
            if (!leftOut.Contains(value.Pointer))
                _fields.Add(name, value);
        }
    }

    /// <summary>JSON pointer to the schema.</summary>
    public string Pointer { get; }

    /// <summary>Whether there is a member of this name.</summary>
    public bool Has(string name) => _fields.ContainsKey(name);

    /// <summary>The member of a name, or null.</summary>
    public SchemaValue? this[string name] => _fields.TryGetValue(name, out SchemaValue value) ? value : null;

    /// <summary>Whether there is a member of this name, and which.</summary>
    public bool TryGet(string name, out SchemaValue value) => _fields.TryGetValue(name, out value);

    /// <summary>The first of some members that is there, for the pointer of keywords that are read as one.</summary>
    public bool TryGetFirst(ReadOnlySpan<string> names, out SchemaValue first)
    {
        foreach (string name in names)
            if (_fields.TryGetValue(name, out first))
                return true;
        first = default;
        return false;
    }
}
