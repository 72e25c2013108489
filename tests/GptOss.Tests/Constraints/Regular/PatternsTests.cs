using System.Text.RegularExpressions;
using GptOss.Constraints;
using GptOss.Constraints.Regular;

namespace GptOss.Tests.Constraints.Regular;

public sealed class PatternsTests
{
    [Fact]
    public void A_random_pattern_is_found_where_the_oracle_finds_it()
    {
        for (int seed = 0; seed < (Long.IsLong ? 100_000 : 1_500); seed++)
        {
            var random = new Random(seed);
            string pattern = RandomPatterns.Pattern(random);
            Regex oracle = RandomPatterns.Oracle(pattern);
            CodePointDfa dfa;
            try
            {
                dfa = RandomPatterns.Search(pattern);
            }
            catch (LimitException)
            {
                continue; // Look-aheads at five places.
            }
            for (int text = 0; text < 20; text++)
            {
                string value = RandomPatterns.Text(random);
                Assert.True(
                    oracle.IsMatch(value) == dfa.Accepts(value),
                    $"seed {seed}: {pattern} on '{value.Replace("\n", "\\n")}'"
                );
            }
        }
    }

    [Theory]
    [InlineData("^a|b$", "ax b xb", "x bx xa")] // two anchored halves
    [InlineData("^$|^ab?$", "|a|ab", "b|abb")]
    [InlineData("a$b", "", "a|b|ab")] // nothing follows the end
    [InlineData("^a.c$", "abc|aéc|a😀c", "a\nc|a\u2028c|a\rc|ac")] // a dot is one code point
    [InlineData(@"^\d$", "0|9", "٣|a")]
    [InlineData(@"^\w+$", "aZ_9", "é|-")]
    [InlineData(@"^\s$", "\ufeff|\u00a0|\u2003|\t", "\u0085|\u180e|a")]
    [InlineData(@"^[\w.-]+$", "a-b.c", "a b")]
    [InlineData(@"^[a-z0-9-_.]+$", "a-_.", "A")]
    [InlineData(@"^[\]\-\\^]$", "]|-|\\|^", "a")]
    [InlineData("^[]$|^[^]$", "a|\n|😀", "|ab")] // nothing, and anything
    [InlineData(@"^\${[A-Z]+}$", "${AB}", "$AB")]
    [InlineData(@"^\p{L}\p{Lu}\p{Letter}\P{gc=Nd}$", "éÉλx|日ÀbX", "é1λx|ÀbX1")]
    [InlineData(@"^\x41\u0042\u{1F600}\uD83D\uDE00\cJ\0$", "AB😀😀\n\0", "AB")]
    [InlineData("^😀{2}$", "😀😀", "😀")]
    [InlineData("^(?<year>a)(?:b)(?P<c>c)$", "abc", "ab")]
    [InlineData("^(?!b)[a-z]+$", "ab|c", "b|ba|")]
    [InlineData("^(?=.*1)(?=.*a)[a1]{2,3}$", "a1|1a1", "aa|11|a1a1")]
    [InlineData("^(?!^[-+.]*$)[+-]?0*[0-9]*[.]?[0-9]*$", "1|+1|.5|0.", "+|.||+.")] // as pydantic writes Decimal
    [InlineData("^(?:(?!a)[ab]|ab)$", "b|ab", "a|ba")]
    [InlineData("(^(?=ab)a|c)b", "ab|abx|xcb", "b|xab")]
    [InlineData("^(?=(?!ab)a)..$", "aa|ac", "ab|ba")] // a look-ahead in a look-ahead
    [InlineData("^(?!a$)a*$", "|aa", "a")]
    [InlineData("^(a*)*(b?){3}(){2,}$", "aab|bbb", "bbbb")] // nullable loops
    [InlineData(@"^[^\ud800-\udfff]$", "a|😀", "")]
    [InlineData(@"^\ud800?a$", "a", "")] // a lone surrogate stands in no text
    public void A_pattern_means_what_the_dialect_says(string pattern, string found, string refused)
    {
        CodePointDfa dfa = RandomPatterns.Search(pattern);
        char separator = pattern.StartsWith("^a|", StringComparison.Ordinal) ? ' ' : '|';
        if (found.Length > 0)
            Assert.All(found.Split(separator), text => Assert.True(dfa.Accepts(text), text));
        if (refused.Length > 0)
            Assert.All(refused.Split(separator), text => Assert.False(dfa.Accepts(text), text));
    }

    [Theory]
    [InlineData("a|ab", "a|ab", "b|aab|abx")]
    [InlineData("(?!ab).+", "aa|b", "ab|abc|")] // the whole text stands at its start
    [InlineData("a$", "a", "ba")]
    public void A_whole_pattern_matches_from_start_to_end(string pattern, string matched, string refused)
    {
        CodePointDfa dfa = Patterns.Whole(pattern, new CompileBudget());
        Assert.All(matched.Split('|'), text => Assert.True(dfa.Accepts(text), text));
        Assert.All(refused.Split('|'), text => Assert.False(dfa.Accepts(text), text));
    }

    [Theory]
    [InlineData("^[a-z]{2,4000}$", 1, 2, 4000)]
    [InlineData(@"^[\s\S]{1,255}$", 1, 1, 255)]
    [InlineData("^.{100,}$", 1, 100, null)]
    [InlineData("^[a-z]{2,4}$", 5, 0, null)] // few enough to be states
    [InlineData("[a-z]{2,4000}", 3, 0, null)] // found anywhere
    public void A_repeated_class_is_a_language_of_one_state_and_bounds(string pattern, int states, int min, int? max)
    {
        BoundedLanguage language = Patterns.SearchBounded(pattern, new CompileBudget());
        Assert.Equal((states, min, max), (language.Language.Count, language.MinLength, language.MaxLength));
    }

    [Theory]
    [InlineData(@"a(?<=b)", 1, "look-behind is not supported")]
    [InlineData(@"a(?=b)", 1, "look-ahead is supported directly behind '^' only")]
    [InlineData(@"^((?!a).)*$", 1, "a look-ahead inside a repetition is not supported")]
    [InlineData(@"^(a)\1$", 4, "back references are not supported")]
    [InlineData(@"(?<a>b)\k<a>", 7, "back references are not supported")]
    [InlineData(@"\bword", 0, @"word boundaries (\b, \B) are not supported")]
    [InlineData(@"(?i)a", 0, "flags are not supported")]
    [InlineData(@"(?>a)", 0, "atomic groups are not supported")]
    [InlineData(@"a++", 2, "nothing to repeat")]
    [InlineData(@"^*", 1, "nothing to repeat")]
    [InlineData(@"a{2}{3}", 4, "nothing to repeat")]
    [InlineData(@"a{,3}", 1, "a repetition needs its least number: {0,n}")]
    [InlineData(@"a{3,2}", 1, "the numbers of the repetition are out of order")]
    [InlineData(@"[z-a]", 1, "the range is out of order")]
    [InlineData(@"x[a-", 1, "the class is not closed")]
    [InlineData(@"x(a", 1, "the group is not closed")]
    [InlineData(@"a)", 1, "')' closes no group")]
    [InlineData(@"a\", 1, @"'\' escapes nothing")]
    [InlineData(@"\Z", 0, @"'\Z' is no escape that is known")]
    [InlineData(@"\u12", 0, @"'\u' is no escape that is known")]
    [InlineData(@"\p{Script=Greek}", 0, @"\p{Script=Greek} is not supported, but general categories are")]
    [InlineData(@"[[:alpha:]]", 0, "POSIX classes are not supported")]
    public void What_is_not_supported_is_refused_with_its_position(string pattern, int position, string what)
    {
        var error = Assert.Throws<PatternException>(() => RandomPatterns.Search(pattern));
        Assert.Equal(position, error.Position);
        Assert.StartsWith($"at {position}: {what}", error.Message);
    }

    [Fact]
    public void Groups_nest_at_most_200_deep()
    {
        Assert.True(RandomPatterns.Search(Nested(200)).Accepts("a"));
        Assert.Contains("200", Assert.Throws<PatternException>(() => RandomPatterns.Search(Nested(201))).Message);

        static string Nested(int depth) => new string('(', depth) + "a" + new string(')', depth);
    }

    [Theory]
    [InlineData("^(a|b)*a(a|b){14}$", "steps")] // 2^14 sets of states
    [InlineData("^(?:a{0,1000}){0,1000}$", "states")]
    [InlineData("^((((a{0,99}){0,99}){0,99}){0,99}){0,99}$", "states")]
    [InlineData("^((((){0,999999}){0,999999}){0,999999})$", "states")]
    [InlineData(@"^[a-z]{1,100000}$", "states")]
    [InlineData(@"^\p{L}{1,5000}$", "edges")]
    [InlineData(@"^(.{0,200}a){0,200}$", "steps")]
    [InlineData(@"^(?=.*a.{9}$)(?=.*b.{8}$)(?=.*c.{9}$).*$", "states")]
    public void A_bomb_meets_a_limit(string pattern, string limit)
    {
        TimeSpan start = ThreadClock.Now;
        var error = Assert.Throws<LimitException>(() => RandomPatterns.Search(pattern));
        Assert.Contains(limit, error.Message);
        Assert.InRange(ThreadClock.Now - start, TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void A_cancelled_compilation_ends()
    {
        var budget = new CompileBudget(new CancellationToken(canceled: true));
        Assert.Throws<OperationCanceledException>(() => Patterns.Search("^[a-z]{1,9000}$", budget));
    }
}
