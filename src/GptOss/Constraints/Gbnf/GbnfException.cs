namespace GptOss.Constraints.Gbnf;

/// <summary>
/// A grammar in GBNF that is wrong. Whoever was given the grammar turns it into a <see cref="SchemaException"/>.
/// </summary>
/// <param name="line">The line of the fault, from 1.</param>
/// <param name="column">The column of the fault, from 1.</param>
/// <param name="what">What is wrong there: <c>rule 'item' is not defined</c>.</param>
internal sealed class GbnfException(int line, int column, string what)
    : Exception($"line {line}, column {column}: {what}");
