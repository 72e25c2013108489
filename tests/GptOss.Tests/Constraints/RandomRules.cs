using GptOss.Constraints;
using GptOss.Constraints.Regular;

namespace GptOss.Tests.Constraints;

/// <summary>Random rules of every shape, so small that a walk of a few tokens meets most of them.</summary>
internal sealed class RandomRules(Random random)
{
    private const int Deepest = 3;

    private static readonly string[] Names = ["a", "ab", "😀", "na\"me", "é", "\u00A0\u001f\n", "", "type"];

    private static readonly CodePointDfa[] Languages =
    [
        .. new[]
        {
            "^[a-z]+$",
            @"^\d{4}-\d\d-\d\d$",
            "foo",
            "^(ab|cd)*$",
            "^[^\"]{0,5}$",
            @"^[à-ÿ一-鿿]+$",
            "^.*x$",
            @"^[\s\S]{2,4}$",
            "^[a-c]{1,2}$",
            @"^\p{Lu}",
            @"\n$",
            "^(😀|é|a)+$",
        }.Select(pattern => Patterns.Search(pattern, new CompileBudget())),
    ];

    private static readonly CodePointDfa Number = Patterns.Whole(
        @"-?(0|[1-9]\d{0,15})(\.\d{1,17})?|-?\d(\.\d{1,16})?e[+-]\d\d",
        new CompileBudget()
    );
    private static readonly CodePointDfa Integer = Patterns.Whole(@"0|-?[1-9]\d{0,18}", new CompileBudget());
    private static readonly CodePointDfa Small = CodePointDfa.Of(["1", "2", "12", "13"]);
    private static readonly CodePointDfa Words = CodePointDfa.Of(["true", "false", "null", "nulla"]);

    private readonly List<Rule> _open = [];

    /// <summary>A rule of which some alternative is a scalar, so that it can always be completed.</summary>
    public Rule Value(int depth = 0)
    {
        if (_open.Count > 0 && random.Next(12) == 0)
            return _open[random.Next(_open.Count)];
        var rule = new Rule("random");
        _open.Add(rule);
        for (int count = random.Next(3) == 0 ? 3 : 1; count > 0; count--)
            rule.Alternatives.Add(
                depth < Deepest && random.Next(depth == 0 ? 2 : 4) is var kind and < 2
                    ? kind == 0
                        ? Object(depth)
                        : Array(depth)
                    : Scalar()
            );
        rule.Alternatives.Add(depth == 0 ? new ArrayShape { Prefix = [], Rest = [] } : Scalar());
        _open.Remove(rule);
        return rule;
    }

    private Shape Scalar() =>
        random.Next(7) switch
        {
            0 => new FreeStringShape(),
            1 => new FreeStringShape(random.Next(3), random.Next(2) == 0 ? null : 3 + random.Next(200)),
            2 => new FreeStringShape(0, random.Next(3)),
            3 => new TextShape(Number, IsQuoted: false),
            4 => new TextShape(Language(), IsQuoted: true),
            5 => Bounded(),
            _ => new TextShape(Words, IsQuoted: false),
        };

    private TextShape Bounded()
    {
        while (true)
        {
            int min = random.Next(3);
            var shape = new TextShape(Language(), IsQuoted: true, min, min + random.Next(5));
            if (new LengthWindow(shape.Language, min, shape.MaxLength, new CompileBudget()).IsPossible)
                return shape;
        }
    }

    private ObjectShape Object(int depth)
    {
        string[] names = [.. Names];
        random.Shuffle(names);
        var properties = new List<Property>();
        for (int count = random.Next(5); count > 0; count--)
        {
            Rule? value = random.Next(8) == 0 ? null : Value(depth + 1);
            properties.Add(new(names[count], value, value is not null && random.Next(3) == 0));
        }
        var extras = new List<ExtraProperties>();
        if (random.Next(2) == 0)
        {
            CodePointDfa language =
                random.Next(4) == 0 ? CodePointDfa.Of(["a", "b", "cd", "é", "😀", "\u00A0\u001f"])
                : random.Next(2) == 0 ? CodePointDfa.AnyText
                : Language();
            extras.Add(new(language, Value(depth + 1)));
            if (random.Next(4) == 0)
                extras.Add(new(language, Value(depth + 1), Counts: true));
        }
        bool isBounded = random.Next(4) == 0;
        int required = properties.Count(property => property.IsRequired);
        return new ObjectShape
        {
            Properties = properties,
            Extras = extras,
            IsAnyOrder = random.Next(2) == 0,
            DependentRequired = Dependents(properties),
            MinProperties = isBounded ? Math.Min(random.Next(3), required) : 0,
            MaxProperties = isBounded && random.Next(2) == 0 ? required + 1 + random.Next(2) : null,
            MinCounted = extras.Count == 2 && !isBounded ? random.Next(2) : 0,
        };
    }

    private List<(int If, int Then)> Dependents(List<Property> properties)
    {
        if (properties.Count < 2 || random.Next(3) > 0)
            return [];
        int name = random.Next(properties.Count),
            then = random.Next(properties.Count);
        return name != then && properties[then].Value is not null ? [(name, then)] : [];
    }

    private ArrayShape Array(int depth)
    {
        int min = random.Next(3);
        int? max = random.Next(3) == 0 ? null : min + random.Next(4);
        switch (random.Next(4))
        {
            case 0:
                var item = new Rule("item");
                item.Alternatives.Add(new TextShape(random.Next(2) == 0 ? Small : Integer, IsQuoted: false));
                item.Alternatives.Add(new TextShape(CodePointDfa.Of(["1", "x\"", "😀", "\u00A0"]), IsQuoted: true));
                return new ArrayShape
                {
                    Prefix = [],
                    Rest = [new(item)],
                    IsUnique = true,
                    MinItems = min,
                    MaxItems = max,
                };
            case 1:
                int fewest = random.Next(3);
                return new ArrayShape
                {
                    Prefix = [],
                    Rest = [new(Value(depth + 1), Counts: 1), new(Value(depth + 1))],
                    MinItems = min,
                    MaxItems = random.Next(2) == 0 ? null : min + fewest + 1,
                    Contains = [(fewest, random.Next(2) == 0 ? null : fewest + random.Next(3))],
                };
            default:
                var prefix = new List<IReadOnlyList<Item>>();
                for (int count = random.Next(3); count > 0; count--)
                    prefix.Add([new(Value(depth + 1))]);
                bool isClosed = random.Next(4) == 0 && prefix.Count >= min;
                return new ArrayShape
                {
                    Prefix = prefix,
                    Rest = isClosed ? [] : [new(Value(depth + 1))],
                    MinItems = min,
                    MaxItems = max,
                };
        }
    }

    private CodePointDfa Language() => Languages[random.Next(Languages.Length)];
}
