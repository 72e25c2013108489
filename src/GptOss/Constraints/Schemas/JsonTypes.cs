namespace GptOss.Constraints.Schemas;

/// <summary>
/// Kinds of JSON values. A number is either whole or has a fraction, so that "an integer", "a number" and "a number but
/// no integer" are each a set of kinds.
/// </summary>
[Flags]
internal enum JsonTypes
{
    None = 0,
    Null = 1,
    Boolean = 2,
    Integer = 4,
    Fraction = 8,
    String = 16,
    Array = 32,
    Object = 64,

    Number = Integer | Fraction,
    Scalar = Null | Boolean | Number | String,
    Any = Scalar | Array | Object,
}
