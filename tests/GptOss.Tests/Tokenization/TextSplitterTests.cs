using System.Text.RegularExpressions;
using CsCheck;
using GptOss.Tokenization;

namespace GptOss.Tests.Tokenization;

public sealed class TextSplitterTests
{
    [Theory]
    // Expected by hand from the pattern; cut at the bars.
    [InlineData("Hello world", "Hello| world")]
    [InlineData("HelloWorld", "Hello|World")] // a capital begins a new word
    [InlineData("HTTPServer", "HTTPServer")] // capitals, then small letters, are one
    [InlineData("it's IT'S it'x", "it's| IT'S| it|'x")]
    [InlineData("it'\u017f", "it'\u017f")] // the long s is a form of s
    [InlineData("1234567", "123|456|7")]
    [InlineData("a  b", "a| | b")]
    [InlineData("a \n\n b", "a| \n\n| b")]
    [InlineData("x!!\n/y", "x|!!\n/|y")]
    // Beyond U+FFFF: mathematical letters are Lu and Ll, mathematical digits Nd, U+20000 is Lo, an emoji So, Deseret
    // Lu and Ll.
    [InlineData("𝐀𝐚𝐛", "𝐀𝐚𝐛")]
    [InlineData("𝐀𝐁 𝐚𝐀", "𝐀𝐁| 𝐚|𝐀")]
    [InlineData("𝟎𝟏𝟐𝟑", "𝟎𝟏𝟐|𝟑")]
    [InlineData("x𝟎", "x|𝟎")]
    [InlineData("𠀀𠀁中", "𠀀𠀁中")]
    [InlineData("a𠀀's", "a𠀀's")]
    [InlineData("𠀀🙂𠀀", "𠀀|🙂𠀀")] // one sign may stand before letters
    [InlineData("🙂🙂a", "🙂🙂|a")]
    [InlineData("𐐀𐐨𐐀", "𐐀𐐨|𐐀")]
    [InlineData("a\U0001D165b", "a\U0001D165b")] // a combining mark (Mc) belongs to the word
    [InlineData("a\U000E0001b", "a|\U000E0001b")] // a format character (Cf) does not
    public void Text_is_cut_by_code_points(string text, string expected) =>
        Assert.Equal(expected.Split('|'), Pieces(TextSplitter.O200k, text));

    [Fact]
    public void A_pattern_that_is_slow_on_every_piece_is_stopped_for_the_text()
    {
        // No single match takes the whole time: the runs of letters double it, up to milliseconds.
        TextSplitter slow = TextSplitter.For("(a+)+b|.", "tokenizer.json", TimeSpan.FromSeconds(0.3));
        string text = string.Concat(Enumerable.Repeat(new string('a', 14) + " ", 20_000));
        long start = System.Diagnostics.Stopwatch.GetTimestamp();

        var error = Assert.Throws<CheckpointException>(() =>
        {
            foreach (ReadOnlySpan<char> piece in slow.Split(text))
                Assert.False(piece.IsEmpty);
        });

        Assert.Equal("pre_tokenizer.pattern.Regex", error.FieldName);
        // Without an end: a minute
        Assert.InRange(System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 5);
    }

    [Fact]
    public void A_lone_surrogate_is_cut_as_U_FFFD_which_is_a_sign()
    {
        Assert.Equal(["\ud800a"], Pieces(TextSplitter.O200k, "\ud800a"));
        Assert.Equal(["a", "\udc00\ud800"], Pieces(TextSplitter.O200k, "a\udc00\ud800"));
        Assert.Equal(["𠀀", "\ud800𠀀"], Pieces(TextSplitter.O200k, "𠀀\ud800𠀀"));
    }

    [Fact]
    public void Within_U_FFFF_the_published_pattern_says_the_same()
    {
        var published = new Regex(TextSplitter.O200kPattern, RegexOptions.CultureInvariant);
        Gen<char> letter = Gen.Char.Where(c => !char.IsSurrogate(c) && c != '\u017f');
        letter
            .Array[0, 40]
            .Select(chars => new string(chars))
            .Sample(
                text => Assert.Equal(published.Matches(text).Select(m => m.Value), Pieces(TextSplitter.O200k, text)),
                iter: 5_000
            );
    }

    [Fact]
    public void The_pieces_are_the_text() =>
        Gen.String.Sample(text => Assert.Equal(text, string.Concat(Pieces(TextSplitter.O200k, text))), iter: 5_000);

    [Theory]
    [InlineData("a", "xaay", "x|a|a|y")] // what lies between the matches are pieces too
    [InlineData("b*", "abba", "a|bb|a")] // an empty match cuts nothing
    [InlineData("z", "xyz", "xy|z")]
    [InlineData(@"\p{L}", "1𝐀𝐁2", "1|𝐀|𝐁|2")]
    public void A_pattern_out_of_a_file_isolates_its_matches(string pattern, string text, string expected) =>
        Assert.Equal(expected.Split('|'), Pieces(TextSplitter.For(pattern, "tokenizer.json"), text));

    [Fact]
    public void Without_a_pattern_the_text_is_one_piece()
    {
        Assert.Equal(["a b\ud83d\ude42"], Pieces(TextSplitter.None, "a b\ud83d\ude42"));
        Assert.Empty(Pieces(TextSplitter.None, ""));
    }

    [Fact]
    public void A_pattern_that_takes_for_ever_is_an_error_that_names_the_file()
    {
        var error = Assert.Throws<CheckpointException>(() =>
            Pieces(TextSplitter.For("(a+)+(a+)+(a+)+b", "some/tokenizer.json"), new string('a', 5_000))
        );
        Assert.Equal("some/tokenizer.json", error.FilePath);
        Assert.Equal("pre_tokenizer.pattern.Regex", error.FieldName);
    }

    private static List<string> Pieces(TextSplitter splitter, string text)
    {
        var pieces = new List<string>();
        foreach (ReadOnlySpan<char> piece in splitter.Split(text))
            pieces.Add(piece.ToString());
        return pieces;
    }
}
