namespace GptOss;

/// <summary>How a JSON Schema is read where an answer or a call is held to it.</summary>
public sealed record SchemaOptions
{
    /// <summary>Objects closed, properties in the usual order, white space free, nothing left out.</summary>
    public static SchemaOptions Default { get; } = new();

    /// <summary>
    /// What an object that declares properties lets come beside them. Closed by default, because nobody wants invented
    /// fields.
    /// </summary>
    public SchemaObjects Objects { get; init; }

    /// <summary>
    /// In which order declared properties come. Null: as the schema has them for answers, since what stands first is
    /// thought first; any order for the arguments of calls.
    /// </summary>
    public PropertyOrder? Order { get; init; }

    /// <summary>Whether no white space comes between the tokens of JSON.</summary>
    public bool Compact { get; init; }

    /// <summary>
    /// Whether keywords that are not supported are left out, and listed under <c>"constraints.relaxed"</c> in the
    /// message's <c>AdditionalProperties</c>. By default such a schema is refused.
    /// </summary>
    public bool Relax { get; init; }
}

/// <summary>What an object that declares properties lets come beside them.</summary>
public enum SchemaObjects
{
    /// <summary>
    /// Nothing, unless the schema says something of further properties. An object that declares none stays open.
    /// </summary>
    Closed,

    /// <summary>Anything that the schema does not forbid, as the standard has it.</summary>
    AsWritten,
}

/// <summary>In which order the declared properties of an object come.</summary>
public enum PropertyOrder
{
    /// <summary>In the order of the schema's text; undeclared ones behind them.</summary>
    Schema,

    /// <summary>In any order; undeclared ones between them.</summary>
    Any,
}
