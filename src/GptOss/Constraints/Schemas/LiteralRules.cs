using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Schemas;

/// <summary>Rules of single JSON values, for objects and arrays of <c>enum</c> and <c>const</c>.</summary>
internal sealed class LiteralRules
{
    private const int MostItems = 10_000;

    private readonly Dictionary<string, Rule> _rules = new(StringComparer.Ordinal);

    /// <summary>All rules that were made.</summary>
    public IReadOnlyCollection<Rule> Rules => _rules.Values;

    /// <summary>
    /// The shape of a value. The members of an object come in the order in which they were written. The nesting of
    /// values was bounded when they were read.
    /// </summary>
    /// <exception cref="LimitException">An array has too many items.</exception>
    public Shape ShapeOf(Literal value) =>
        value.Items.Count > MostItems
            ? throw new LimitException($"has a value of {value.Items.Count:N0} items, and the limit is {MostItems:N0}")
            : Made(value);

    private Shape Made(Literal value) =>
        value.Type switch
        {
            JsonTypes.Object => new ObjectShape
            {
                Properties =
                [
                    .. value.Members.Select(member => new Property(member.Key, RuleOf(member.Value), IsRequired: true)),
                ],
            },
            JsonTypes.Array => new ArrayShape
            {
                Prefix = [.. value.Items.Select(item => new[] { new Item(RuleOf(item)) })],
                Rest = [],
                MinItems = value.Items.Count,
                MaxItems = value.Items.Count,
            },
            _ => new TextShape(CodePointDfa.Of([value.Text]), IsQuoted: value.Type == JsonTypes.String),
        };

    private Rule RuleOf(Literal value)
    {
        if (!_rules.TryGetValue(value.Key, out Rule? rule))
        {
            _rules[value.Key] = rule = new(value.Key);
            rule.Alternatives.Add(ShapeOf(value));
        }
        return rule;
    }
}
