using GptOss.Constraints;
using GptOss.Constraints.Regular;

namespace GptOss.Tests.Constraints;

public sealed class GrammarMemoryTests
{
    private static string Text(int items) => $"[{string.Join(',', Enumerable.Range(0, items))}]";

    [Fact]
    public void Grammars_of_a_model_keep_no_more_together_than_the_limit()
    {
        long one = Used().MadeBytes,
            most = one * 5 / 2;
        var memory = new GrammarMemory(most);
        (Grammar Grammar, GrammarMemory.Share Share)[] all =
        [
            .. Enumerable.Range(0, 6).Select(_ => Distinct()).Select(grammar => (grammar, memory.Join(grammar))),
        ];
        foreach ((Grammar grammar, GrammarMemory.Share share) in all)
        {
            Use(memory, grammar, share, Text(150));
            Assert.InRange(memory.Bytes, one, most);
        }
        // Those used last are known, and those before were forgotten.
        Assert.Equal([1, 1, 1, 1, 0, 0], all.Select(one => one.Grammar.Generation));
        Assert.Equal(memory.Bytes, all.Sum(one => one.Share.Bytes));
    }

    [Fact]
    public void A_grammar_that_is_too_large_alone_forgets_what_it_made()
    {
        var memory = new GrammarMemory(Used().MadeBytes / 2);
        Grammar grammar = Distinct();
        GrammarMemory.Share share = memory.Join(grammar);
        Use(memory, grammar, share, Text(150));
        Assert.Equal(0, memory.Bytes);
        Assert.Equal(1, grammar.Generation);
    }

    /// <summary>Whoever holds its gate is at work, and must not be waited for.</summary>
    [Fact]
    public void A_grammar_at_work_is_passed_over()
    {
        var memory = new GrammarMemory(Used().MadeBytes * 3 / 2);
        Grammar busy = Distinct(),
            other = Distinct();
        GrammarMemory.Share busyShare = memory.Join(busy),
            otherShare = memory.Join(other);
        Use(memory, busy, busyShare, Text(150));
        using var entered = new ManualResetEventSlim();
        using var done = new ManualResetEventSlim();
        var holder = new Thread(() =>
        {
            lock (busy.Gate)
            {
                entered.Set();
                done.Wait(TestContext.Current.CancellationToken);
            }
        });
        holder.Start();
        entered.Wait(TestContext.Current.CancellationToken);
        int before = busy.Generation;
        Use(memory, other, otherShare, Text(150));
        Assert.Equal(before, busy.Generation);
        Assert.Equal(1, other.Generation);
        done.Set();
        holder.Join();
    }

    [Fact]
    public void Bytes_of_a_grammar_hold_what_it_was_compiled_to()
    {
        var rule = new Rule("texts");
        rule.Alternatives.Add(
            new TextShape(CodePointDfa.Of(Enumerable.Range(0, 5_000).Select(i => $"{i * 7919}")), IsQuoted: true)
        );
        var grammar = new Grammar(rule, isCompact: false);
        Assert.True(grammar.Bytes > 10_000 + grammar.MadeBytes, $"{grammar.Bytes:N0} bytes");
        grammar.Forget();
        Assert.True(grammar.Bytes > 10_000, $"{grammar.Bytes:N0} bytes");
        Assert.Equal(0, grammar.MadeBytes);
    }

    private static void Use(GrammarMemory memory, Grammar grammar, GrammarMemory.Share share, string text)
    {
        Assert.True(ConstraintState.Accepts(grammar, text));
        lock (grammar.Gate)
            memory.Settle(share, grammar);
    }

    private static Grammar Used()
    {
        Grammar grammar = Distinct();
        Assert.True(ConstraintState.Accepts(grammar, Text(150)));
        return grammar;
    }

    // Each item has to differ from all before it, so that every one makes configurations of its own.
    private static Grammar Distinct()
    {
        var item = new Rule("item");
        item.Alternatives.Add(new TextShape(Patterns.Whole("0|[1-9][0-9]*", new CompileBudget()), IsQuoted: false));
        var rule = new Rule("items");
        rule.Alternatives.Add(
            new ArrayShape
            {
                Prefix = [],
                Rest = [new(item)],
                IsUnique = true,
            }
        );
        return new Grammar(rule, isCompact: true);
    }
}
