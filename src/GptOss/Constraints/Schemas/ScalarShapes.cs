using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Schemas;

/// <summary>The scalars that a rule allows, gathered over its alternatives: listed values are one shape.</summary>
/// <param name="strings">Builds the strings of an alternative.</param>
/// <param name="numbers">Builds the numbers of an alternative.</param>
internal sealed class ScalarShapes(StringShapes strings, NumberLanguages numbers)
{
    private readonly HashSet<string> _words = new(StringComparer.Ordinal),
        _texts = new(StringComparer.Ordinal);
    private readonly HashSet<Shape> _shapes = [];

    /// <summary>Adds a listed value.</summary>
    public void Add(Literal value) => (value.Type == JsonTypes.String ? _texts : _words).Add(value.Text);

    /// <summary>Adds the scalars of an alternative that lists no values.</summary>
    public void Add(SchemaAlternative alternative)
    {
        foreach (string word in Words(alternative))
            _words.Add(word);
        if ((alternative.Types & JsonTypes.Number) != 0)
            if (numbers.Of(alternative, isCanonical: false) is { IsEmpty: false } language)
                _shapes.Add(new TextShape(language, IsQuoted: false));
        if ((alternative.Types & JsonTypes.String) != 0 && strings.Of(alternative) is Shape shape)
            _shapes.Add(shape);
    }

    /// <summary>Null, true and false, as far as an alternative allows them.</summary>
    public static IEnumerable<string> Words(SchemaAlternative alternative)
    {
        string[] words =
        [
            .. (alternative.Types & JsonTypes.Null) != 0 ? (string[])["null"] : [],
            .. (alternative.Types & JsonTypes.Boolean) != 0 ? (string[])["true", "false"] : [],
        ];
        return words.Where(word =>
            !alternative
                .Of<ExcludedKeyword>()
                .SelectMany(keyword => keyword.Values)
                .Any(value => value.Type != JsonTypes.String && value.Text == word)
        );
    }

    /// <summary>The shapes of all that was added.</summary>
    public IEnumerable<Shape> Shapes()
    {
        bool isAnyString = _shapes.Contains(new FreeStringShape());
        if (_words.Count > 0)
            yield return new TextShape(CodePointDfa.Of(_words), IsQuoted: false);
        if (_texts.Count > 0 && !isAnyString)
            yield return new TextShape(CodePointDfa.Of(_texts), IsQuoted: true);
        foreach (Shape shape in _shapes)
            if (
                !isAnyString
                || shape is TextShape { IsQuoted: false } or FreeStringShape { MinLength: 0, MaxLength: null }
            )
                yield return shape;
    }
}
