using GptOss.Constraints;
using GptOss.Sampling;
using GptOss.Tokenization;

namespace GptOss.Tests.Constraints;

/// <summary>What is chosen among the allowed tokens.</summary>
internal enum Choice
{
    /// <summary>Any, and the end in one of four places that allow it.</summary>
    Uniform,

    /// <summary>The most bytes; the end only where nothing else may come.</summary>
    Longest,

    /// <summary>White space, then any; the end only where nothing else may come.</summary>
    WhiteSpace,

    /// <summary>Digits, then any; the end only where nothing else may come.</summary>
    Digits,

    /// <summary>The token of the same greatest logit as everywhere; the end in one of two places.</summary>
    Greatest,
}

/// <summary>One answer, token by token, of choices that mean harm.</summary>
internal sealed class HostileWalk(TokenConstraint constraint, Tokenizer tokenizer, Choice choice, Random random)
{
    private readonly int[] _rank = Ranks(tokenizer, choice, random);
    private readonly List<int> _written = [];

    /// <summary>How many tokens came without a choice.</summary>
    public int Forced { get; private set; }

    /// <summary>The complete answer; null where it took more tokens than may be.</summary>
    /// <param name="most">The most tokens of the answer.</param>
    /// <param name="fault">What went wrong on the way; null for nothing.</param>
    public string? Run(int most, out string? fault)
    {
        ConstraintState state = constraint.Start;
        fault = null;
        while (_written.Count < most)
        {
            TokenMask mask = constraint.MaskOf(state);
            if (state.IsComplete && (mask.Count == 0 || Ends()))
                return tokenizer.Decode(_written);
            fault = mask.Count == 0 ? $"no token may come behind {tokenizer.Decode(_written)}" : Force(ref state);
            if (fault is not null)
                return null;
            if (state.IsComplete)
                continue;
            mask = constraint.MaskOf(state);
            int next = Chosen(mask);
            if (next < 0 || !constraint.TryAdvance(state, next, out state))
            {
                fault = $"the mask allows {next} and the grammar does not, behind {tokenizer.Decode(_written)}";
                return null;
            }
            _written.Add(next);
        }
        return null;
    }

    private bool Ends() =>
        choice switch
        {
            Choice.Uniform => random.Next(4) == 0,
            Choice.Greatest => random.Next(2) == 0,
            _ => false,
        };

    // Each token of a forced run may come, and the run is what the tokenizer makes of its text.
    private string? Force(ref ConstraintState state)
    {
        List<int> run = constraint.ForcedRun(state);
        if (run.Count > 0 && !tokenizer.Encode(tokenizer.Decode(run)).SequenceEqual(run))
            return $"the forced run {tokenizer.Decode(run)} is not the tokenizer's own";
        foreach (int token in run)
        {
            if (!constraint.MaskOf(state).Allows(token) || !constraint.TryAdvance(state, token, out state))
                return $"the forced token {token} is not allowed behind {tokenizer.Decode(_written)}";
            _written.Add(token);
        }
        Forced += run.Count;
        return null;
    }

    // The allowed token of the greatest rank, and among equals any.
    private int Chosen(TokenMask mask)
    {
        int best = -1,
            equal = 0;
        for (int id = 0; id < mask.VocabularySize; id++)
        {
            if (!mask.Allows(id) || (best >= 0 && _rank[id] < _rank[best]))
                continue;
            equal = best >= 0 && _rank[id] == _rank[best] ? equal + 1 : 1;
            if (random.Next(equal) == 0)
                best = id;
        }
        return best;
    }

    private static int[] Ranks(Tokenizer tokenizer, Choice choice, Random random) =>
        [
            .. Enumerable
                .Range(0, tokenizer.VocabularySize)
                .Select(id =>
                    choice switch
                    {
                        Choice.Longest => tokenizer.Bytes[id].Length,
                        Choice.WhiteSpace => Are(tokenizer.Bytes[id], " \t\r\n"u8),
                        Choice.Digits => Are(tokenizer.Bytes[id], "0123456789"u8),
                        Choice.Greatest => random.Next(),
                        _ => 0,
                    }
                ),
        ];

    private static int Are(ReadOnlySpan<byte> text, ReadOnlySpan<byte> bytes) => text.ContainsAnyExcept(bytes) ? 0 : 1;
}
