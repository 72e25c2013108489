using GptOss.Chat;
using GptOss.Constraints;
using GptOss.Constraints.Regular;
using GptOss.Tokenization;

namespace GptOss.Tests.Chat;

public sealed class ConstraintCacheTests
{
    [Fact]
    public void What_was_asked_for_before_is_made_once()
    {
        var cache = new ConstraintCache();
        AnswerConstraint made = cache.Get("a", Small);
        Assert.Same(made, cache.Get("a", () => throw new InvalidOperationException("It is kept.")));
        Assert.Equal(1, cache.Count);
    }

    [Fact]
    public void Sixty_four_are_kept_and_the_one_used_least_recently_goes()
    {
        var cache = new ConstraintCache();
        AnswerConstraint first = cache.Get("0", Small);
        for (int i = 1; i < 64; i++)
            cache.Get($"{i}", Small);
        Assert.Same(first, cache.Get("0", Small));
        AnswerConstraint second = cache.Get("1", Small);
        cache.Get("64", Small);
        Assert.Equal(64, cache.Count);
        Assert.Same(first, cache.Get("0", Small));
        Assert.Same(second, cache.Get("1", Small));
    }

    /// <summary>A constraint is small when it is made, and grows while answers are held to it.</summary>
    [Fact]
    public void Constraints_that_have_grown_go_when_another_one_is_used()
    {
        var cache = new ConstraintCache();
        AnswerConstraint[] all = [.. Enumerable.Range(0, 4).Select(i => cache.Get($"{i}", Small))];
        foreach (AnswerConstraint constraint in all)
            constraint.Turn.Grammar.Take(30 << 20);
        cache.Get("3", Small);
        Assert.Equal(2, cache.Count);
        Assert.Same(all[2], cache.Get("2", Small));
    }

    private static AnswerConstraint Small()
    {
        var rule = new Rule("text");
        rule.Alternatives.Add(new TextShape(CodePointDfa.Of(["a"]), IsQuoted: false));
        var turn = new TokenConstraint(new Grammar(rule, isCompact: true), Tokenizer.O200kHarmony, markers: []);
        return new AnswerConstraint(turn, "a text") { HasForm = true, Spared = null! };
    }
}
