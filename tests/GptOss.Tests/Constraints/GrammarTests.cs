using GptOss.Constraints;
using GptOss.Constraints.Regular;

namespace GptOss.Tests.Constraints;

public sealed class GrammarTests
{
    private static readonly Rule Digits = Rule(
        new TextShape(CodePointDfa.Of(["0", "1", "12", "123"]), IsQuoted: false)
    );
    private static readonly Rule Strings = Rule(new FreeStringShape());

    [Theory]
    [InlineData("{\"a\":1}", true)]
    [InlineData("{ \"a\" : 12 , \"b\":\"x\\ud83d\\ude00\\u12aF\\/\"}", true)]
    [InlineData("{\n  \"a\": 1,\n  \"c\\n\": 1\n}", true)]
    [InlineData("{\"b\":\"x\"}", false)] // the required name is missing
    [InlineData("{\"b\":\"x\",\"a\":1}", false)] // out of order
    [InlineData("{\"a\":1,\"a\":1}", false)] // twice
    [InlineData("{\"a\":1,\"c\\u000a\":1}", false)] // a name has one spelling
    [InlineData("{\"a\":1,\"d\":1}", false)] // closed
    [InlineData("{\"a\":1,}", false)]
    [InlineData("{\"a\":1} ", false)]
    [InlineData(" {\"a\":1}", false)]
    [InlineData("{\"a\":1,\"b\":\"\\ud83d\"}", false)] // half a pair
    [InlineData("{\"a\":1,\"b\":\"\\ude00\\ud83d\"}", false)]
    [InlineData("{\"a\":1,\"b\":\"é€😀\"}", true)]
    [InlineData("{\"a\":1,\"b\":\"\n\"}", false)] // a raw line feed
    public void A_closed_object_keeps_its_order(string text, bool isAccepted) =>
        Check(
            new ObjectShape
            {
                Properties = [new("a", Digits, true), new("b", Strings, false), new("c\n", Digits, false)],
            },
            text,
            isAccepted
        );

    [Theory]
    [InlineData("{\"b\":\"\",\"a\":1}", true)]
    [InlineData("{\"a\":1}", false)] // two at least
    [InlineData("{\"z\":\"1\",\"a\":1}", true)]
    [InlineData("{\"z\":\"1\",\"z\":\"1\",\"a\":1}", false)] // an undeclared name twice
    [InlineData("{\"z\":\"1\",\"zz\":\"1\",\"a\":1}", true)]
    [InlineData("{\"z\":\"1\",\"zz\":\"1\",\"b\":\"\"}", false)] // no room for the required one
    [InlineData("{\"no\":\"1\",\"a\":1}", false)] // forbidden, so no undeclared one either
    [InlineData("{\"n\":\"1\",\"a\":1}", true)]
    [InlineData("{\"\":\"\",\"a\":1}", true)]
    [InlineData("{\"aa\":1,\"a\":1}", false)] // an undeclared name with the value of a declared one
    [InlineData("{\"\\\"\":\"\",\"a\":1}", true)]
    [InlineData("{\"\\u0022\":\"\",\"a\":1}", false)]
    [InlineData("{\"😀\":\"\",\"a\":1}", true)]
    [InlineData("{\"\\uD83D\\uDE00\":\"\",\"a\":1}", true)]
    [InlineData("{\"\\uD83D\\uDE00\":\"\",\"😀\":\"\",\"a\":1}", false)] // twice, in two spellings
    [InlineData("{\"😀\":\"\",\"\\uD83D\\uDE00\":\"\",\"a\":1}", false)]
    [InlineData("{\"\\u001F\":\"\",\"\\u001f\":\"\",\"a\":1}", false)]
    public void An_open_object_tells_its_names_apart(string text, bool isAccepted) =>
        Check(
            new ObjectShape
            {
                Properties = [new("a", Digits, true), new("b", Strings, false), new("no", null, false)],
                Extras = [new(CodePointDfa.AnyText, Strings)],
                IsAnyOrder = true,
                MinProperties = 2,
                MaxProperties = 3,
            },
            text,
            isAccepted
        );

    [Theory]
    [InlineData("{\"😀\":1,\"\\u00A0\":1,\"\\u0001\\u001F\":1,\"\\uE000x\":1}", true)]
    [InlineData("{\"\\uD83D\\uDE00\":1,\"\u00A0\":1,\"\\u0001\\u001f\":1,\"\uE000x\":1}", true)]
    [InlineData("{\"\\ud83d\\ude00\":1}", false)]
    [InlineData("{\"\\u00A1\":1}", false)] // nothing escapes it
    [InlineData("{\"\\u00e9\":1}", false)]
    [InlineData("{\"\\uD83D\\uDE01\":1}", false)] // its half is not enough
    [InlineData("{\"\\uD83D\\uDE00\":1,\"😀\":1}", false)]
    [InlineData("{\"\\u00A0\":1,\"\\uD83D\\uDE00\":1}", false)] // out of order
    [InlineData("{\"\\uE000y\":1}", false)] // forbidden
    [InlineData("{\"\uE000y\":1}", false)]
    public void A_name_is_read_in_both_spellings(string text, bool isAccepted) =>
        Check(
            new ObjectShape
            {
                Properties =
                [
                    new("😀", Digits, false),
                    new("\u00A0", Digits, false),
                    new("\u00A1", Digits, false),
                    new("\u0001\u001f", Digits, false),
                    new("\uE000x", Digits, false),
                    new("\uE000y", null, false),
                ],
                Extras = [new(CodePointDfa.Of(["\uE000y"]), Digits)],
            },
            text,
            isAccepted
        );

    [Theory]
    [InlineData("{}", true)]
    [InlineData("{\"b\":1}", true)]
    [InlineData("{\"a\":1,\"b\":1,\"c\":1}", true)]
    [InlineData("{\"a\":1,\"c\":1}", false)]
    [InlineData("{\"a\":1,\"b\":1}", false)]
    public void A_name_brings_those_that_it_requires(string text, bool isAccepted) =>
        Check(
            new ObjectShape
            {
                Properties = [new("a", Digits, false), new("b", Digits, false), new("c", Digits, false)],
                DependentRequired = [(0, 1), (0, 2)],
            },
            text,
            isAccepted
        );

    [Theory]
    [InlineData("[1,12]", true)]
    [InlineData("[1,1]", false)]
    [InlineData("[1 , 12, 123]", true)]
    [InlineData("[123,12,1]", true)]
    [InlineData("[12,123,12]", false)]
    [InlineData("[0,1,12,123]", false)] // three at most
    [InlineData("[1]", false)] // two at least
    public void An_array_of_unique_items_has_none_twice(string text, bool isAccepted) =>
        Check(
            new ArrayShape
            {
                Prefix = [],
                Rest = [new(Digits)],
                IsUnique = true,
                MinItems = 2,
                MaxItems = 3,
            },
            text,
            isAccepted
        );

    [Theory]
    [InlineData("[\"😀\",\"\\u00A0\",\"a\"]", true)]
    [InlineData("[\"\\uD83D\\uDE00\",\"a\",\"\u00A0\"]", true)]
    [InlineData("[\"\\uD83D\\uDE00\",\"😀\",\"a\"]", false)]
    [InlineData("[\"\u00A0\",\"\\u00A0\",\"a\"]", false)]
    [InlineData("[\"a\",\"a\",\"\\u00A0\"]", false)]
    public void Items_are_told_apart_by_their_values(string text, bool isAccepted)
    {
        var shape = new ArrayShape
        {
            Prefix = [],
            Rest = [new(Rule(new TextShape(CodePointDfa.Of(["😀", "\u00A0", "a"]), IsQuoted: true)))],
            IsUnique = true,
            MinItems = 3,
        };
        Check(shape, text, isAccepted);
        Assert.Empty(new Grammar(Rule(shape with { MinItems = 4 }), isCompact: false).Start.Readings);
    }

    /// <summary>There are four digits, so an array of five could not be completed.</summary>
    [Fact]
    public void An_array_that_needs_more_distinct_items_than_there_are_has_no_text()
    {
        var shape = new ArrayShape
        {
            Prefix = [],
            Rest = [new(Digits)],
            IsUnique = true,
            MinItems = 5,
        };
        Assert.Empty(new Grammar(Rule(shape), isCompact: false).Start.Readings);
        Check(shape with { MinItems = 4 }, "[123,0,12,1]", true);
    }

    [Theory]
    [InlineData("[1,\"\",1]", true)]
    [InlineData("[\"\",\"\",1,1]", true)]
    [InlineData("[1,\"\"]", false)]
    [InlineData("[1,1,1]", false)]
    [InlineData("[\"\",\"\",\"\",1]", false)] // the second has no room
    public void As_many_items_count_as_have_to(string text, bool isAccepted) =>
        Check(
            new ArrayShape
            {
                Prefix = [],
                Rest = [new(Digits, Counts: 1), new(Strings)],
                MaxItems = 4,
                Contains = [(2, 2)],
            },
            text,
            isAccepted
        );

    [Theory]
    [InlineData("", false)]
    [InlineData("ab", false)]
    [InlineData("abc", true)]
    [InlineData("abab", true)]
    [InlineData("ababc", true)]
    [InlineData("ababab", false)]
    public void A_text_has_the_length_and_the_pattern(string value, bool isAccepted) =>
        Check(
            new TextShape(Patterns.Whole("(ab)*c?", new CompileBudget()), IsQuoted: true, MinLength: 3, MaxLength: 5),
            $"\"{value}\"",
            isAccepted
        );

    [Theory]
    [InlineData("\\n\\u0000", true)]
    [InlineData("\\u001f€", true)]
    [InlineData("/a", true)]
    [InlineData("😀a", true)]
    [InlineData("\\u000a\\u0000", false)] // the line feed has an escape of one letter
    [InlineData("\\u001F\\u0000", true)] // as System.Text.Json writes it
    [InlineData("\\uD83D\\uDE00a", true)]
    [InlineData("\\uD83D\\uDE00\\u00A0", true)]
    [InlineData("\\u007Fa", true)]
    [InlineData("\\ud83d\\ude00a", false)] // small letters
    [InlineData("\\uD83Da", false)] // half a pair
    [InlineData("\\u00E9a", false)] // is written raw by all
    [InlineData("\\uD83D\\uDE00", false)] // one character
    [InlineData("\\/a", false)] // needs no escape
    [InlineData("😀", false)] // one character
    public void A_value_has_one_spelling_and_that_of_the_relaxed_encoder(string text, bool isAccepted) =>
        Check(
            new TextShape(Patterns.Whole("[^b-y]{2}", new CompileBudget()), IsQuoted: true),
            $"\"{text}\"",
            isAccepted
        );

    [Theory]
    [InlineData("\"ab\"", true)]
    [InlineData("\"\\u0041\\\\\"", true)]
    [InlineData("\"😀b\"", true)] // one character of four bytes
    [InlineData("\"\\uD83D\\uDE00\"", false)] // a pair is one character
    [InlineData("\"\\uD83D\\uDE00\\uD83D\\uDE00\"", true)]
    [InlineData("\"abc\"", false)]
    public void Characters_and_not_bytes_or_escapes_are_counted(string text, bool isAccepted) =>
        Check(new FreeStringShape(2, 2), text, isAccepted);

    [Theory]
    [InlineData("\"é\"", true)]
    [InlineData("\"\\u00e9\"", true)]
    [InlineData("\"😀\"", false)]
    [InlineData("\"\\ud83d\\ude00\"", false)]
    public void A_string_of_one_character_keeps_to_what_a_char_reads(string text, bool isAccepted) =>
        Check(new FreeStringShape(1, 1), text, isAccepted);

    [Theory]
    [InlineData("", true)]
    [InlineData(" ", true)]
    [InlineData("  ", false)]
    [InlineData("\n", true)]
    [InlineData("\n{40}", true)]
    [InlineData("\n{41}", false)]
    [InlineData("\n\t\t\t\t\t\t\t\t\t\t\t\t", true)]
    [InlineData("\n\t\t\t\t\t\t\t\t\t\t\t\t\t", false)]
    [InlineData("\n \t", false)]
    [InlineData("\n\n", false)]
    [InlineData("\r\n", false)]
    [InlineData("\t", false)]
    public void White_space_ends(string space, bool isAccepted)
    {
        space = space.Replace("{40}", new string(' ', 40)).Replace("{41}", new string(' ', 41));
        var shape = new ArrayShape { Prefix = [], Rest = [new(Digits)] };
        Check(shape, $"[{space}1{space},{space}1{space}]", isAccepted);
        Assert.Equal(space == "", Accepts(shape, $"[{space}1]", isCompact: true));
    }

    [Theory]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public void An_answer_nests_as_deep_as_is_read(int depth, bool isAccepted)
    {
        var nested = new Rule("nested") { Height = 1 };
        nested.Alternatives.Add(new ArrayShape { Prefix = [], Rest = [new(nested)] });
        Assert.Equal(
            isAccepted,
            ConstraintState.Accepts(
                new Grammar(nested, isCompact: true),
                new string('[', depth) + new string(']', depth)
            )
        );
    }

    private static void Check(Shape shape, string text, bool isAccepted) =>
        Assert.Equal(isAccepted, Accepts(shape, text, isCompact: false));

    private static bool Accepts(Shape shape, string text, bool isCompact) =>
        ConstraintState.Accepts(new Grammar(Rule(shape), isCompact), text);

    private static Rule Rule(Shape shape)
    {
        var rule = new Rule("rule");
        rule.Alternatives.Add(shape);
        return rule;
    }
}
