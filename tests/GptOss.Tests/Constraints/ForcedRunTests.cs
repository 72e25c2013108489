using GptOss.Constraints;
using GptOss.Constraints.Regular;
using GptOss.Tokenization;

namespace GptOss.Tests.Constraints;

public sealed class ForcedRunTests
{
    private static readonly Tokenizer O200k = Tokenizer.O200kHarmony;

    [Fact]
    public void A_text_without_a_choice_is_taken_whole()
    {
        TokenConstraint constraint = Choices("the only answer there is");
        Assert.Equal("the only answer there is", O200k.Decode(constraint.ForcedRun(constraint.Start)));
        Assert.Equal(O200k.Encode("the only answer there is"), constraint.ForcedRun(constraint.Start));
    }

    [Fact]
    public void A_run_ends_where_texts_part()
    {
        TokenConstraint constraint = Choices("north wind", "north star");
        List<int> run = constraint.ForcedRun(constraint.Start);
        // " " begins " wind" as well as " star", so only the word before it is certain.
        Assert.Equal("north", O200k.Decode(run));
    }

    [Fact]
    public void A_complete_text_is_not_gone_on_with() => Assert.Empty(RunBehind(Choices("a", "abc"), "a"));

    /// <summary>A quote alone could be the model's <c>":</c>, so it is left to the model.</summary>
    [Fact]
    public void A_token_that_could_be_a_longer_one_is_left_to_the_model()
    {
        var name = new Property("location", Text("x"), IsRequired: true);
        TokenConstraint constraint = Constraint(new ObjectShape { Properties = [name] }, isCompact: false);
        Assert.Equal("location", O200k.Decode(RunBehind(constraint, "{\"")));
        constraint = Constraint(new ObjectShape { Properties = [name] }, isCompact: true);
        Assert.Equal("{\"location\":", O200k.Decode(constraint.ForcedRun(constraint.Start))[..12]);
    }

    [Fact]
    public void A_run_to_a_marker_is_taken_with_it_and_goes_on_behind_it()
    {
        NetState[] states = [.. Enumerable.Range(0, 6).Select(state => new NetState { IsAccepting = state == 5 })];
        int[] symbols = ['h', 'i', Markers.First, Markers.First + 1, '!'];
        for (int state = 0; state < symbols.Length; state++)
            states[state].Edges.Add(new(symbols[state], symbols[state], state + 1));
        int[] markers = [O200k.SpecialTokens["<|channel|>"], O200k.SpecialTokens["<|message|>"]];
        TokenConstraint constraint = Constraint(new NetShape(states), isCompact: true, markers);
        Assert.Equal([.. O200k.Encode("hi"), .. markers, .. O200k.Encode("!")], constraint.ForcedRun(constraint.Start));
    }

    [Fact]
    public void Of_a_character_that_is_only_begun_nothing_is_taken()
    {
        TokenConstraint constraint = Choices("x\u0430", "x\u0431"); // D0 B0 and D0 B1: one byte is forced, one is not
        Assert.Equal("x", O200k.Decode(constraint.ForcedRun(constraint.Start)));
    }

    /// <summary>Every forced token is allowed at its place, and together they are what the text would be encoded
    /// as.</summary>
    [Fact]
    public void Forced_tokens_are_allowed_by_the_masks_and_canonical()
    {
        int forced = 0;
        for (int seed = 0; seed < 100; seed++)
        {
            var random = new Random(seed);
            Rule root = new RandomRules(random).Value();
            var constraint = new TokenConstraint(new Grammar(root, isCompact: true), O200k, []);
            ConstraintState state = constraint.Start;
            for (int step = 0; step < 12 && !state.IsComplete; step++)
            {
                List<int> run = constraint.ForcedRun(state);
                forced += run.Count;
                Assert.Equal(O200k.Encode(O200k.Decode(run)), run);
                foreach (int token in run)
                {
                    Assert.True(constraint.MaskOf(state).Allows(token), $"seed {seed}");
                    Assert.True(constraint.TryAdvance(state, token, out state));
                }
                if (run.Count > 0)
                    continue;
                int[] allowed = [.. Enumerable.Range(0, 128).Where(constraint.MaskOf(state).Allows)];
                if (allowed.Length == 0)
                    break;
                Assert.True(constraint.TryAdvance(state, allowed[random.Next(allowed.Length)], out state));
            }
        }
        Assert.True(forced > 50, $"Only {forced} tokens were forced.");
    }

    private static List<int> RunBehind(TokenConstraint constraint, string text)
    {
        ConstraintState state = constraint.Start;
        foreach (int token in O200k.Encode(text))
            Assert.True(constraint.TryAdvance(state, token, out state));
        return constraint.ForcedRun(state);
    }

    private static TokenConstraint Choices(params string[] texts) =>
        Constraint(new TextShape(CodePointDfa.Of(texts), IsQuoted: false), isCompact: true);

    private static TokenConstraint Constraint(Shape shape, bool isCompact, params int[] markers)
    {
        var root = new Rule("root");
        root.Alternatives.Add(shape);
        return new(new Grammar(root, isCompact), O200k, markers);
    }

    private static Rule Text(string text)
    {
        var rule = new Rule("text");
        rule.Alternatives.Add(new TextShape(CodePointDfa.Of([text]), IsQuoted: true));
        return rule;
    }
}
