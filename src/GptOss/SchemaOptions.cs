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
    public SchemaObjects Objects
    {
        get;
        init =>
            field = Enum.IsDefined(value)
                ? value
                : throw new ArgumentOutOfRangeException(nameof(Objects), value, "Objects is not a known mode.");
    }

    /// <summary>
    /// In which order declared properties come. Null: as the schema has them for answers, since what stands first is
    /// thought first; any order for the arguments of calls.
    /// </summary>
    public PropertyOrder? Order
    {
        get;
        init =>
            field =
                value is null || Enum.IsDefined(value.Value)
                    ? value
                    : throw new ArgumentOutOfRangeException(nameof(Order), value, "Order is not a known order.");
    }

    /// <summary>
    /// Whether no white space comes between the tokens of JSON. It holds for the whole turn: for the answer, and for
    /// the arguments of calls, also where these may be any object.
    /// </summary>
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
