using System.Globalization;

namespace GptOss.Constraints.Regular;

/// <summary>The classes of characters that a pattern can name.</summary>
internal static class CharacterClasses
{
    // The names of ECMA-262 (table "General_Category values"), in the order of System.Globalization.UnicodeCategory.
    private static readonly (string Short, string Long)[] _names =
    [
        ("Lu", "Uppercase_Letter"),
        ("Ll", "Lowercase_Letter"),
        ("Lt", "Titlecase_Letter"),
        ("Lm", "Modifier_Letter"),
        ("Lo", "Other_Letter"),
        ("Mn", "Nonspacing_Mark"),
        ("Mc", "Spacing_Mark"),
        ("Me", "Enclosing_Mark"),
        ("Nd", "Decimal_Number"),
        ("Nl", "Letter_Number"),
        ("No", "Other_Number"),
        ("Zs", "Space_Separator"),
        ("Zl", "Line_Separator"),
        ("Zp", "Paragraph_Separator"),
        ("Cc", "Control"),
        ("Cf", "Format"),
        ("Cs", "Surrogate"),
        ("Co", "Private_Use"),
        ("Pc", "Connector_Punctuation"),
        ("Pd", "Dash_Punctuation"),
        ("Ps", "Open_Punctuation"),
        ("Pe", "Close_Punctuation"),
        ("Pi", "Initial_Punctuation"),
        ("Pf", "Final_Punctuation"),
        ("Po", "Other_Punctuation"),
        ("Sm", "Math_Symbol"),
        ("Sc", "Currency_Symbol"),
        ("Sk", "Modifier_Symbol"),
        ("So", "Other_Symbol"),
        ("Cn", "Unassigned"),
    ];

    private static readonly Dictionary<string, string> _otherNames = new()
    {
        ["Letter"] = "L",
        ["Cased_Letter"] = "LC",
        ["Mark"] = "M",
        ["Combining_Mark"] = "M",
        ["Number"] = "N",
        ["Punctuation"] = "P",
        ["punct"] = "P",
        ["Symbol"] = "S",
        ["Separator"] = "Z",
        ["Other"] = "C",
        ["digit"] = "Nd",
        ["cntrl"] = "Cc",
    };

    private static readonly Lazy<CodePointSet[]> _categories = new(ReadCategories);

    /// <summary>What <c>\d</c> stands for.</summary>
    public static CodePointSet Digits { get; } = CodePointSet.Of(('0', '9'));

    /// <summary>What <c>\w</c> stands for.</summary>
    public static CodePointSet Words { get; } = CodePointSet.Of(('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z'));

    /// <summary>What <c>\s</c> stands for: white space and line ends of ECMA-262.</summary>
    public static CodePointSet Spaces { get; } =
        CodePointSet.Of(
            ('\t', '\r'),
            (' ', ' '),
            (0xA0, 0xA0),
            (0x1680, 0x1680),
            (0x2000, 0x200A),
            (0x2028, 0x2029),
            (0x202F, 0x202F),
            (0x205F, 0x205F),
            (0x3000, 0x3000),
            (0xFEFF, 0xFEFF)
        );

    /// <summary>What a dot stands for: everything but line feed, carriage return, U+2028 and U+2029.</summary>
    public static CodePointSet NoLineEnd { get; } =
        CodePointSet.Of(('\n', '\n'), ('\r', '\r'), (0x2028, 0x2029)).Complement();

    /// <summary>
    /// The set of a general category by its short or long name, also behind <c>gc=</c>, or of <c>Any</c> or
    /// <c>ASCII</c>; null for another property.
    /// </summary>
    public static CodePointSet? Category(string name)
    {
        foreach (string prefix in (ReadOnlySpan<string>)["gc=", "General_Category="])
            if (name.StartsWith(prefix, StringComparison.Ordinal))
                name = name[prefix.Length..];
        name = _otherNames.GetValueOrDefault(name, name);
        if (name is "Any" or "ASCII")
            return name == "Any" ? CodePointSet.All : CodePointSet.Of((0, 0x7F));

        CodePointSet set = CodePointSet.None;
        bool isKnown = false;
        for (int category = 0; category < _names.Length; category++)
        {
            (string shortName, string longName) = _names[category];
            bool isGroup = name == "LC" ? category < 3 : name == shortName[..1];
            if (!isGroup && name != shortName && name != longName)
                continue;
            isKnown = true;
            set = set.Union(_categories.Value[category]);
        }
        return isKnown ? set : null;
    }

    // One pass over all code points, 10 ms, the first time that a pattern names a category.
    private static CodePointSet[] ReadCategories()
    {
        var ranges = new List<(int, int)>[_names.Length];
        for (int category = 0; category < ranges.Length; category++)
            ranges[category] = [];
        for (int first = 0, last; first <= 0x10FFFF; first = last + 1)
        {
            UnicodeCategory category = CharUnicodeInfo.GetUnicodeCategory(first);
            for (last = first; last < 0x10FFFF && CharUnicodeInfo.GetUnicodeCategory(last + 1) == category; last++) { }
            ranges[(int)category].Add((first, last));
        }
        return Array.ConvertAll(ranges, all => CodePointSet.Of([.. all]));
    }
}
