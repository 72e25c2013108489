using GptOss.Constraints;

namespace GptOss.Tests.Constraints;

public sealed class NetTests
{
    /// <summary>With a caller for every item, each byte of a list of n items would go through n of them.</summary>
    [Fact]
    public void A_list_that_calls_itself_at_its_end_takes_time_by_its_length()
    {
        Grammar grammar = Sums();
        string text = string.Concat(Enumerable.Repeat("x+", 50_000)) + "x";
        Assert.True(ConstraintState.Accepts(grammar, text));
        Assert.False(ConstraintState.Accepts(grammar, text + "+"));
        Assert.InRange(grammar.Bytes, 0, 1_000_000);
    }

    [Theory]
    [InlineData("x+(x+x)+x", true)]
    [InlineData("((x))", true)]
    [InlineData("x+", false)]
    [InlineData("(x", false)]
    [InlineData("(x))", false)]
    public void Rules_call_each_other(string text, bool isAccepted) =>
        Assert.Equal(isAccepted, ConstraintState.Accepts(Sums(), text));

    [Fact]
    public void Rules_nest_as_deep_as_a_text_is_long() =>
        Assert.True(ConstraintState.Accepts(Sums(), new string('(', 20_000) + "x" + new string(')', 20_000)));

    /// <summary>A rule that may be empty is left at once as well as entered, whatever comes first.</summary>
    [Theory]
    [InlineData("", true)]
    [InlineData("a", true)]
    [InlineData("b", true)]
    [InlineData("abab", true)]
    [InlineData("c", false)]
    public void A_loop_over_rules_that_may_be_empty_ends(string text, bool isAccepted)
    {
        Rule Optional(char letter)
        {
            NetState from = new() { IsAccepting = true };
            from.Edges.Add(new(letter, letter, 1));
            return Rule(new NetShape([from, new NetState { IsAccepting = true }]));
        }
        NetState first = new() { IsAccepting = true },
            second = new();
        first.Calls.Add((Optional('a'), 1));
        second.Calls.Add((Optional('b'), 0));
        second.Empty.Add(0);
        Check(new NetShape([first, second]), text, isAccepted);
    }

    /// <summary>Of n such rules each is called by all before it: n² callers before the first byte.</summary>
    [Fact]
    public void Rules_that_may_all_be_empty_at_once_are_refused_before_they_take_long()
    {
        Rule[] rules = [.. Enumerable.Range(0, 8_000).Select(number => new Rule($"rule{number}"))];
        for (int i = 0; i < rules.Length; i++)
        {
            NetState[] states = [new(), new(), new() { IsAccepting = true }];
            if (i + 1 < rules.Length)
            {
                states[0].Calls.Add((rules[i + 1], 1));
                states[1].Calls.Add((rules[i + 1], 2));
            }
            else
                states[0].IsAccepting = true;
            rules[i].Alternatives.Add(new NetShape(states));
        }
        Assert.Throws<LimitException>(() => new Grammar(rules[0], isCompact: false));
    }

    [Fact]
    public void A_rule_that_calls_itself_first_is_refused()
    {
        var rule = new Rule("left");
        NetState first = new();
        first.Calls.Add((rule, 1));
        rule.Alternatives.Add(new NetShape([first, new NetState { IsAccepting = true }]));
        var error = Assert.Throws<LimitException>(() => new Grammar(rule, isCompact: false));
        Assert.Contains("'left'", error.Message);
    }

    [Theory]
    [InlineData("aé€😀", true)]
    [InlineData("", true)]
    [InlineData("b", false)]
    [InlineData("ö", false)] // shares its first byte
    [InlineData("😁", false)] // shares three bytes
    [InlineData("\ud83d", false)] // no text at all
    public void A_net_reads_code_points_in_their_bytes(string text, bool isAccepted)
    {
        NetState letters = new() { IsAccepting = true };
        foreach (int letter in (int[])['a', 'é', '€', 0x1F600])
            letters.Edges.Add(new(letter, letter, 0));
        Check(new NetShape([letters]), text, isAccepted);
    }

    // sum = term ("+" sum)?, term = "x" | "(" sum ")"
    private static Grammar Sums()
    {
        Rule sum = new("sum"),
            term = new("term");
        NetState[] ofSum = [new(), new() { IsAccepting = true }, new(), new() { IsAccepting = true }];
        ofSum[0].Calls.Add((term, 1));
        ofSum[1].Edges.Add(new('+', '+', 2));
        ofSum[2].Calls.Add((sum, 3));
        NetState[] ofTerm = [new(), new(), new(), new() { IsAccepting = true }];
        ofTerm[0].Edges.Add(new('x', 'x', 3));
        ofTerm[0].Edges.Add(new('(', '(', 1));
        ofTerm[1].Calls.Add((sum, 2));
        ofTerm[2].Edges.Add(new(')', ')', 3));
        sum.Alternatives.Add(new NetShape(ofSum));
        term.Alternatives.Add(new NetShape(ofTerm));
        return new Grammar(sum, isCompact: true);
    }

    private static void Check(Shape shape, string text, bool isAccepted) =>
        Assert.Equal(isAccepted, ConstraintState.Accepts(new Grammar(Rule(shape), isCompact: true), text));

    private static Rule Rule(Shape shape)
    {
        var rule = new Rule("rule");
        rule.Alternatives.Add(shape);
        return rule;
    }
}
