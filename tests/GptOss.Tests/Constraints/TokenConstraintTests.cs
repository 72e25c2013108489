using GptOss.Constraints;
using GptOss.Sampling;
using GptOss.Tokenization;

namespace GptOss.Tests.Constraints;

public sealed class TokenConstraintTests
{
    private static readonly Lazy<Tokenizer> Tiny = new(() =>
        Tokenizer.ForFolder(TinyGptOss.Folder, 960, out _, CancellationToken.None)!
    );

    /// <summary>The definition: a token is allowed where its bytes are, one after the other.</summary>
    [Fact]
    public void A_mask_of_the_tiny_vocabulary_allows_what_trying_every_token_allows() =>
        MasksAreAsDefined(Tiny.Value, seeds: Long.IsLong ? 1_000 : 150, steps: 40);

    [Fact]
    public void A_mask_of_o200k_allows_what_trying_every_token_allows() =>
        MasksAreAsDefined(Tokenizer.O200kHarmony, seeds: Long.IsLong ? 1_000 : 8, steps: Long.IsLong ? 40 : 5);

    /// <summary>Live: where a text is not complete, some token may follow; and what is complete is accepted.</summary>
    [Fact]
    public void No_walk_ends_without_an_allowed_token()
    {
        int complete = 0;
        for (int seed = 0; seed < (Long.IsLong ? 10_000 : 300); seed++)
        {
            var random = new Random(seed);
            var constraint = new TokenConstraint(RandomGrammar(random), Tiny.Value, []);
            List<int> tokens = Walk(constraint, random, steps: 150, out ConstraintState end);
            Assert.True(
                end.IsComplete || constraint.MaskOf(end).Count > 0,
                $"seed {seed}: {Tiny.Value.Decode(tokens)}"
            );
            if (!end.IsComplete)
                continue;
            complete++;
            Assert.True(
                ConstraintState.Accepts(constraint.Grammar, Tiny.Value.Decode(tokens)),
                $"seed {seed}: {Tiny.Value.Decode(tokens)}"
            );
        }
        Assert.True(complete > 100, $"Only {complete} walks were completed.");
    }

    [Fact]
    public void A_grammar_that_keeps_nothing_has_the_same_masks_and_forced_runs()
    {
        for (int seed = 0; seed < (Long.IsLong ? 3_000 : 60); seed++)
        {
            var random = new Random(seed);
            Rule root = new RandomRules(random).Value();
            var keeps = new TokenConstraint(new Grammar(root, isCompact: false), Tiny.Value, []);
            var forgets = new TokenConstraint(new Grammar(root, isCompact: false, mostBytes: 0), Tiny.Value, []);
            ConstraintState kept = keeps.Start,
                forgotten = forgets.Start;
            foreach (int token in Walk(keeps, random, steps: 40, out _))
            {
                Assert.Equal(keeps.ForcedRun(kept), forgets.ForcedRun(forgotten));
                AssertEqual(keeps.MaskOf(kept), forgets.MaskOf(forgotten), $"seed {seed}");
                Assert.True(keeps.TryAdvance(kept, token, out kept));
                Assert.True(forgets.TryAdvance(forgotten, token, out forgotten));
            }
        }
    }

    /// <summary>A state is a value: who goes back to one finds it as it was.</summary>
    [Fact]
    public void A_state_is_not_changed_by_those_that_go_on_from_it()
    {
        var random = new Random(7);
        var constraint = new TokenConstraint(RandomGrammar(random), Tiny.Value, []);
        TokenMask before = constraint.MaskOf(constraint.Start);
        for (int i = 0; i < 20; i++)
            Walk(constraint, random, steps: 20, out _);
        AssertEqual(before, constraint.MaskOf(constraint.Start), "the start");
    }

    /// <summary>Above, that is 260 masks at most, not 8,192: the margin twice, and one for all between.</summary>
    [Fact]
    public void A_long_bound_on_a_string_has_few_masks()
    {
        var root = new Rule("text");
        root.Alternatives.Add(new FreeStringShape(0, 8_192));
        var constraint = new TokenConstraint(new Grammar(root, isCompact: false), Tiny.Value, []);
        int letter = Tiny.Value.Encode("e")[0],
            quote = Tiny.Value.Encode("\"")[0];
        Assert.True(constraint.TryAdvance(constraint.Start, quote, out ConstraintState state));
        for (int i = 0; i < 8_192; i++)
        {
            Assert.True(constraint.MaskOf(state).Allows(letter));
            Assert.True(constraint.TryAdvance(state, letter, out state));
        }
        Assert.False(constraint.MaskOf(state).Allows(letter));
        Assert.True(constraint.MaskOf(state).Allows(quote));
        Assert.InRange(constraint.MasksBuilt, 2, 260);
    }

    [Fact]
    public void Special_tokens_and_ids_outside_the_vocabulary_never_come()
    {
        var free = new NetState { IsFree = true };
        free.Edges.Add(new(Markers.First, Markers.First, 1));
        var root = new Rule("free");
        root.Alternatives.Add(new NetShape([free, new NetState { IsAccepting = true }]));
        Tokenizer tokenizer = Tokenizer.O200kHarmony;
        int end = tokenizer.SpecialTokens["<|end|>"];
        var constraint = new TokenConstraint(new Grammar(root, isCompact: false), tokenizer, [end]);

        TokenMask mask = constraint.MaskOf(constraint.Start);

        for (int id = 0; id < tokenizer.VocabularySize; id++)
            Assert.Equal(id == end || (!tokenizer.IsSpecial(id) && tokenizer.Bytes[id].Length > 0), mask.Allows(id));
        Assert.False(constraint.TryAdvance(constraint.Start, -1, out _));
        Assert.False(constraint.TryAdvance(constraint.Start, tokenizer.VocabularySize, out _));
        Assert.True(constraint.TryAdvance(constraint.Start, end, out ConstraintState ended));
        Assert.True(ended.IsComplete);
        Assert.Equal(0, constraint.MaskOf(ended).Count);
    }

    /// <summary>Sequences of one grammar step side by side.</summary>
    [Fact]
    public async Task Many_threads_find_the_masks_that_one_finds()
    {
        Rule root = new RandomRules(new Random(3)).Value();
        var alone = new TokenConstraint(new Grammar(root, isCompact: false), Tiny.Value, []);
        var shared = new TokenConstraint(new Grammar(root, isCompact: false, mostBytes: 200_000), Tiny.Value, []);
        List<int>[] walks = [.. Enumerable.Range(0, 8).Select(seed => Walk(alone, new Random(seed), 60, out _))];
        await Task.WhenAll(
            walks.Select(walk =>
                Task.Run(
                    () =>
                    {
                        ConstraintState one = alone.Start,
                            other = shared.Start;
                        foreach (int token in walk)
                        {
                            AssertEqual(alone.MaskOf(one), shared.MaskOf(other), "a walk");
                            Assert.True(alone.TryAdvance(one, token, out one));
                            Assert.True(shared.TryAdvance(other, token, out other));
                        }
                    },
                    TestContext.Current.CancellationToken
                )
            )
        );
    }

    private static void MasksAreAsDefined(Tokenizer tokenizer, int seeds, int steps)
    {
        for (int seed = 0; seed < seeds; seed++)
        {
            var random = new Random(seed);
            var constraint = new TokenConstraint(RandomGrammar(random), tokenizer, []);
            ConstraintState state = constraint.Start;
            foreach (int token in Walk(constraint, random, steps, out _))
            {
                TokenMask mask = constraint.MaskOf(state);
                for (int id = 0; id < tokenizer.VocabularySize; id++)
                    if (constraint.TryAdvance(state, id, out _) != mask.Allows(id))
                        Assert.Fail($"seed {seed}: token {id} '{tokenizer.Decode([id])}', mask {mask.Allows(id)}");
                Assert.True(constraint.TryAdvance(state, token, out state));
            }
        }
    }

    private static Grammar RandomGrammar(Random random) =>
        new(new RandomRules(random).Value(), isCompact: random.Next(3) == 0);

    // Random tokens, often one that ends something, so that walks get anywhere; often one that stops amid an escape or
    // a character, where what is plain elsewhere is something else.
    private static List<int> Walk(TokenConstraint constraint, Random random, int steps, out ConstraintState state)
    {
        List<int> tokens = [];
        state = constraint.Start;
        for (int step = 0; step < steps; step++)
        {
            TokenMask mask = constraint.MaskOf(state);
            int[] allowed = Allowed(mask);
            if (allowed.Length == 0 || (state.IsComplete && random.Next(3) == 0))
                break;
            int token = allowed[random.Next(allowed.Length)];
            if (random.Next(4) == 0 && Amid.Value.TryGetValue(mask.VocabularySize, out int[]? amid))
                token = amid.Where(mask.Allows).OrderBy(_ => random.Next()).FirstOrDefault(token);
            else if (step > steps / 2 || random.Next(3) == 0)
                token = allowed.FirstOrDefault(id => id is < 128 and not 220, token);
            Assert.True(constraint.TryAdvance(state, token, out state));
            tokens.Add(token);
        }
        return tokens;
    }

    // Of each vocabulary: the tokens that end in a backslash or in the first byte of a character.
    private static readonly Lazy<Dictionary<int, int[]>> Amid = new(() =>
        new[] { Tiny.Value, Tokenizer.O200kHarmony }.ToDictionary(
            tokenizer => tokenizer.VocabularySize,
            tokenizer =>
                Enumerable
                    .Range(0, tokenizer.VocabularySize)
                    .Where(id => tokenizer.Bytes[id] is [.., (byte)'\\' or >= 0xC0])
                    .ToArray()
        )
    );

    private static int[] Allowed(TokenMask mask) => [.. Enumerable.Range(0, mask.VocabularySize).Where(mask.Allows)];

    private static void AssertEqual(TokenMask one, TokenMask other, string where)
    {
        Assert.Equal(one.Count, other.Count);
        for (int id = 0; id < one.VocabularySize; id++)
            if (one.Allows(id) != other.Allows(id))
                Assert.Fail($"{where}: token {id}");
    }
}
