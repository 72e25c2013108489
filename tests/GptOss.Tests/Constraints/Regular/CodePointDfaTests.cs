using GptOss.Constraints;
using GptOss.Constraints.Regular;

namespace GptOss.Tests.Constraints.Regular;

public sealed class CodePointDfaTests
{
    private static readonly CompileBudget _budget = new();

    [Fact]
    public void Operations_hold_text_by_text_and_give_trimmed_automata()
    {
        for (int seed = 0; seed < 400; seed++)
        {
            var random = new Random(seed);
            CodePointDfa a = Draw(random),
                b = Draw(random);
            CodePointDfa and = a.And(b, _budget),
                or = a.Or(b, _budget),
                minus = a.Minus(b, _budget),
                not = a.Not(_budget);
            Assert.All([and, or, minus, not], AssertTrimmedAndSorted);
            for (int draw = 0; draw < 30; draw++)
            {
                string text = RandomPatterns.Text(random);
                (bool inA, bool inB) = (a.Accepts(text), b.Accepts(text));
                Assert.True(and.Accepts(text) == (inA && inB), $"seed {seed}: and on '{text}'");
                Assert.True(or.Accepts(text) == (inA || inB), $"seed {seed}: or on '{text}'");
                Assert.True(minus.Accepts(text) == (inA && !inB), $"seed {seed}: minus on '{text}'");
                Assert.True(not.Accepts(text) == !inA, $"seed {seed}: not on '{text}'");
            }
        }
    }

    [Fact]
    public void Automata_of_equal_languages_have_equally_many_states()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            CodePointDfa a = Draw(random),
                b = Draw(random);
            Assert.Equal(a.Count, a.Not(_budget).Not(_budget).Count);
            CodePointDfa and = a.Not(_budget).Or(b.Not(_budget), _budget).Not(_budget);
            Assert.Equal(a.And(b, _budget).Count, and.Count);
            Assert.True(a.And(b, _budget).Minus(and, _budget).IsEmpty);
            Assert.True(and.Minus(a, _budget).IsEmpty);
        }
    }

    [Fact]
    public void No_text_and_any_text_are_each_other_s_complement()
    {
        Assert.True(CodePointDfa.AnyText.Not(_budget).IsEmpty);
        Assert.Equal(1, CodePointDfa.Nothing.Not(_budget).Count);
        Assert.True(CodePointDfa.AnyText.Accepts("a\0😀\uffff"));
        Assert.False(CodePointDfa.AnyText.Accepts("a\ud800"));
        Assert.False(CodePointDfa.AnyText.Accepts("\udc00"));
        Assert.True(CodePointDfa.AnyText.Accepts("\ufffd"));
    }

    [Fact]
    public void A_list_of_texts_is_the_smallest_automaton_of_just_these()
    {
        var random = new Random(3);
        for (int draw = 0; draw < 200; draw++)
        {
            HashSet<string> texts = [.. Enumerable.Range(0, random.Next(30)).Select(_ => RandomPatterns.Text(random))];
            CodePointDfa dfa = CodePointDfa.Of(texts);
            Assert.All(texts, text => Assert.True(dfa.Accepts(text)));
            for (int other = 0; other < 50; other++)
            {
                string text = RandomPatterns.Text(random);
                Assert.Equal(texts.Contains(text), dfa.Accepts(text));
            }
            Assert.Equal(dfa.Count, dfa.Not(_budget).Not(_budget).Count);
            AssertTrimmedAndSorted(dfa);
            if (texts.Count > 0)
                Assert.Equal(texts.Count, dfa.Measures.Texts(CodePointDfa.Start));
        }
        Assert.True(CodePointDfa.Of([]).IsEmpty);
        Assert.True(CodePointDfa.Of(["\ud800", "a\udc00"]).IsEmpty); // not to be spelled in UTF-8
        Assert.True(CodePointDfa.Of([""]).Accepts(""));
    }

    [Fact]
    public void A_long_list_of_texts_is_read_in_one_pass()
    {
        string[] texts = [.. Enumerable.Range(0, 10_000).Select(n => $"{n * 7919 % 100_003:x}-{n}-suffix")];
        CodePointDfa dfa = CodePointDfa.Of(texts);
        Assert.All(texts, text => Assert.True(dfa.Accepts(text)));
        Assert.Equal(10_000, dfa.Measures.Texts(CodePointDfa.Start));
    }

    [Fact]
    public void The_machine_tells_more_than_65_536_states_of_a_list_apart()
    {
        var random = new Random(1);
        var bytes = new byte[20];
        string[] texts = new string[3_000];
        for (int text = 0; text < texts.Length; text++)
        {
            random.NextBytes(bytes);
            texts[text] = Convert.ToHexString(bytes);
        }
        CodePointDfa dfa = CodePointDfa.Of(texts);
        Assert.InRange(dfa.Count, 80_000, 200_000);
        var rule = new Rule("texts");
        rule.Alternatives.Add(new TextShape(dfa, IsQuoted: false));
        var grammar = new Grammar(rule, isCompact: false);
        Assert.All(texts[..200], text => Assert.True(ConstraintState.Accepts(grammar, text)));
        Assert.All(texts[..200], text => Assert.False(ConstraintState.Accepts(grammar, text[..39] + 'g')));
    }

    [Theory]
    [InlineData("^(a|bc)$", 1, 2, 2)]
    [InlineData("^[a-z]{3}$", 3, 3, 17_576)]
    [InlineData("^a*$", 0, DfaMeasures.Endless, long.MaxValue)]
    [InlineData("^.{13}$", 13, 13, long.MaxValue)] // more than are counted
    [InlineData("^$", 0, 0, 1)]
    public void Lengths_and_numbers_of_texts_are_measured(string pattern, int shortest, int longest, long texts)
    {
        DfaMeasures measures = RandomPatterns.Search(pattern).Measures;
        Assert.Equal(shortest, measures.Shortest(CodePointDfa.Start));
        Assert.Equal(longest, measures.Longest(CodePointDfa.Start));
        Assert.Equal(texts, measures.Texts(CodePointDfa.Start));
    }

    [Theory]
    [InlineData("", DfaMeasures.Endless)]
    [InlineData(@"^[^""\\\x00-\x1f\u2028\u2029]*$", DfaMeasures.Endless)] // the plain characters alone
    [InlineData("^.{5,9}$", 9)] // the dot leaves out no plain character
    [InlineData("^[^x]*$", 0)]
    [InlineData("^[a-z]{3}.*$", 0)]
    [InlineData(@"^[^""]{2}[^x]*$", 2)]
    [InlineData("^[^x]*(x[^y]*)*$", 1)]
    public void A_state_survives_plain_characters_until_one_of_them_is_refused(string pattern, int life) =>
        Assert.Equal(life, RandomPatterns.Search(pattern).Measures.PlainLife(CodePointDfa.Start));

    [Fact]
    public void An_operation_that_needs_too_many_states_meets_a_limit()
    {
        CodePointDfa a = RandomPatterns.Search("^(a|b)*a(a|b){11}$");
        CodePointDfa b = RandomPatterns.Search("^(a|b){0,400}b(a|b){3}$");
        Assert.Throws<LimitException>(() => a.And(b, _budget));
    }

    private static CodePointDfa Draw(Random random)
    {
        while (true)
            try
            {
                return RandomPatterns.Search(RandomPatterns.Pattern(random, depth: 2));
            }
            catch (LimitException) { }
    }

    private static void AssertTrimmedAndSorted(CodePointDfa dfa)
    {
        var reached = new HashSet<int>();
        var open = new Stack<int>(dfa.IsEmpty ? [] : [CodePointDfa.Start]);
        while (open.TryPop(out int state))
        {
            if (!reached.Add(state))
                continue;
            Assert.NotEqual(int.MaxValue, dfa.Measures.Shortest(state));
            int last = -1;
            foreach (DfaEdge edge in dfa.Edges(state))
            {
                Assert.True(edge.First > last && edge.First <= edge.Last);
                Assert.False(edge.First <= 0xDFFF && edge.Last >= 0xD800, "a surrogate");
                last = edge.Last;
                open.Push(edge.Target);
            }
        }
        Assert.Equal(dfa.Count, reached.Count);
    }
}
