using System.Numerics;
using System.Numerics.Tensors;
using GptOss.Kernels;

namespace GptOss.Sampling;

/// <summary>
/// Chooses the next token from the logits of its place. The order of the steps is the contract: the tokens that are
/// allowed, logit bias, penalties, temperature, top-k, top-p, min-p, draw.
/// </summary>
/// <remarks>
/// A token that is not allowed has no part in any step: top-k takes the k best of those that are. Where few are allowed
/// their logits are gathered, else the others are set to negative infinity. Both give the same token, since sums run in
/// the order of ids, to which a forbidden token adds zero. Holds buffers, so an instance serves one caller at a time;
/// it has no other state.
/// </remarks>
internal sealed class Sampler
{
    /// <summary>What is given where no token can be chosen.</summary>
    public const int None = -1;

    private float[] _weights = [];
    private float[] _gathered = [];
    private int[] _heap = [];

    /// <summary>
    /// Whether a token can be chosen from the model's logits: all are finite, and not all are equal. No trained model
    /// makes equal logits; they are the sign of a damaged weight that outweighed everything else. Asked before a bias
    /// is added, which may be negative infinity.
    /// </summary>
    public static bool CanBeSampled(ReadOnlySpan<float> logits)
    {
        float most = TensorPrimitives.Max(logits),
            least = TensorPrimitives.Min(logits); // a NaN among the logits makes both NaN
        return float.IsFinite(most) && float.IsFinite(least) && (most != least || logits.Length == 1);
    }

    /// <summary>Chooses a token; the same logits and settings give the same token.</summary>
    /// <param name="logits">One for each token, finite; changed in place by mask, bias and penalties.</param>
    /// <param name="choice">The settings of every step, which tokens are allowed, and the place; not changed.</param>
    /// <returns>The token; <see cref="None"/> where the bias forbids every token that is allowed.</returns>
    public int Next(Span<float> logits, TokenChoice choice)
    {
        Penalties.AddBias(logits, choice.Options.LogitBias);
        if (choice.History is { } history)
            Penalties.Apply(logits, choice.Options, history, choice.Spared);
        if (choice.Allowed is not { } allowed)
            return Choose(logits, logits.Length, choice);
        if (allowed.Form == TokenMaskForm.Allowed)
        {
            int chosen = Choose(Gather(logits, allowed.Ids), allowed.Count, choice);
            return chosen == None ? None : allowed.Ids[chosen];
        }
        Forbid(logits, allowed);
        return Choose(logits, allowed.Count, choice);
    }

    // Of the given logits count are allowed, and the others are negative infinity.
    private int Choose(ReadOnlySpan<float> logits, int count, TokenChoice choice)
    {
        SamplingOptions options = choice.Options;
        int best = TensorPrimitives.IndexOfMax(logits);
        if (float.IsNegativeInfinity(logits[best]))
            return None;
        if (options.Temperature == 0)
            return best;

        if (_weights.Length < logits.Length)
            _weights = new float[logits.Length];
        Span<float> weights = _weights.AsSpan(0, logits.Length);
        Softmax.Weights(logits, logits[best], options.Temperature, weights);

        double chance = Uniform(choice.Seed, choice.Position);
        int k = Math.Min(options.TopK ?? count, count);
        if (k == count && options.TopP == 1)
        {
            // Min-p alone needs no sorting: the best token's weight is 1, so a weight is its share of the best token's.
            if (options.MinP > 0)
                foreach (ref float weight in weights)
                    if (weight < options.MinP)
                        weight = 0;
            return Draw(weights, chance);
        }
        ReadOnlySpan<int> kept = Keep(logits, weights, k == count ? logits.Length : k, options.TopP);
        return Draw(weights, KeepMinP(weights, kept, options.MinP), chance);
    }

    private ReadOnlySpan<float> Gather(ReadOnlySpan<float> logits, ReadOnlySpan<int> ids)
    {
        if (_gathered.Length < ids.Length)
            _gathered = new float[TokenMask.MostIds];
        for (int i = 0; i < ids.Length; i++)
            _gathered[i] = logits[ids[i]];
        return _gathered.AsSpan(0, ids.Length);
    }

    private static void Forbid(Span<float> logits, TokenMask allowed)
    {
        if (allowed.Form == TokenMaskForm.Forbidden)
        {
            foreach (int id in allowed.Ids)
                logits[id] = float.NegativeInfinity;
            return;
        }
        ReadOnlySpan<ulong> bits = allowed.Bits;
        for (int word = 0; word < bits.Length; word++)
        {
            int first = word * 64,
                length = Math.Min(64, logits.Length - first);
            if (bits[word] == 0)
                logits.Slice(first, length).Fill(float.NegativeInfinity);
            else
                for (ulong rest = ~bits[word]; rest != 0; rest &= rest - 1)
                {
                    int at = BitOperations.TrailingZeroCount(rest);
                    if (at >= length)
                        break;
                    logits[first + at] = float.NegativeInfinity;
                }
        }
    }

    /// <summary>
    /// A random number in [0, 1) that depends on seed and position alone, and on no earlier draw: so an answer that is
    /// paused and continued gets the same tokens.
    /// </summary>
    /// <remarks>
    /// Mixes by the finaliser of SplitMix64 twice, so that neighbouring positions and seeds give unrelated numbers.
    /// </remarks>
    internal static double Uniform(ulong seed, ulong position) =>
        (Mix(Mix(seed + 0x9E37_79B9_7F4A_7C15) ^ (position * 0xD134_2543_DE82_EF95)) >> 11) * (1.0 / (1UL << 53));

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }

    // The most likely tokens, best first: at most k, and of these the fewest whose weights sum to the share p of all k.
    private ReadOnlySpan<int> Keep(ReadOnlySpan<float> logits, ReadOnlySpan<float> weights, int k, float p)
    {
        if (_heap.Length < logits.Length)
            _heap = new int[logits.Length];
        var heap = new MaxHeap(_heap.AsSpan(0, logits.Length), logits);
        k = Math.Min(k, logits.Length);

        double total = 0;
        if (k == logits.Length)
            foreach (float weight in weights)
                total += weight;
        else
        {
            for (int i = 0; i < k; i++)
                total += weights[heap.Pop()];
            if (p == 1)
                return heap.Popped;
        }

        if (k < logits.Length)
        {
            ReadOnlySpan<int> top = heap.Popped;
            return top[..CountHolding(weights, top, p * total)];
        }
        double held = 0;
        while (held < p * total && heap.Count > 0)
            held += weights[heap.Pop()];
        return heap.Popped;
    }

    // The tokens, best first, whose weight is at least minP; the best token, whose weight is 1, always among them.
    private static ReadOnlySpan<int> KeepMinP(ReadOnlySpan<float> weights, ReadOnlySpan<int> tokens, float minP)
    {
        int count = 1;
        while (count < tokens.Length && weights[tokens[count]] >= minP)
            count++;
        return tokens[..count];
    }

    private static int CountHolding(ReadOnlySpan<float> weights, ReadOnlySpan<int> tokens, double share)
    {
        double held = 0;
        int count = 0;
        while (count < tokens.Length && held < share)
            held += weights[tokens[count++]];
        return count;
    }

    // Draws from all tokens by weight. A token of weight 0 never comes, even if rounding leaves a rest behind the last.
    private static int Draw(ReadOnlySpan<float> weights, double chance)
    {
        double total = 0;
        foreach (float weight in weights)
            total += weight;
        double rest = chance * total;
        int last = 0;
        for (int token = 0; token < weights.Length; token++)
        {
            if (weights[token] == 0)
                continue;
            last = token;
            rest -= weights[token];
            if (rest < 0)
                break;
        }
        return last;
    }

    // Draws from the given tokens by weight; if rounding leaves a rest behind the last, the best token comes.
    private static int Draw(ReadOnlySpan<float> weights, ReadOnlySpan<int> tokens, double chance)
    {
        double total = 0;
        foreach (int token in tokens)
            total += weights[token];
        double rest = chance * total;
        foreach (int token in tokens)
        {
            rest -= weights[token];
            if (rest < 0)
                return token;
        }
        return tokens[0];
    }

    /// <summary>
    /// A heap of token ids with the most likely on top, and of equals the lower id: sorts only as many tokens as are
    /// popped. Popped ids gather at the end of the span.
    /// </summary>
    private ref struct MaxHeap
    {
        private readonly Span<int> _items;
        private readonly ReadOnlySpan<float> _logits;

        public MaxHeap(Span<int> items, ReadOnlySpan<float> logits)
        {
            _items = items;
            _logits = logits;
            Count = items.Length;
            for (int i = 0; i < items.Length; i++)
                items[i] = i;
            for (int i = items.Length / 2 - 1; i >= 0; i--)
                Sink(i);
        }

        public int Count { get; private set; }

        /// <summary>All ids that were popped, best first. Reorders the span, so it is read once, at the end.</summary>
        public readonly ReadOnlySpan<int> Popped
        {
            get
            {
                Span<int> popped = _items[Count..];
                popped.Reverse();
                return popped;
            }
        }

        public int Pop()
        {
            int top = _items[0];
            Count--;
            _items[0] = _items[Count];
            _items[Count] = top;
            Sink(0);
            return top;
        }

        private readonly void Sink(int at)
        {
            int item = _items[at];
            while (true)
            {
                int child = 2 * at + 1;
                if (child >= Count)
                    break;
                if (child + 1 < Count && Better(_items[child + 1], _items[child]))
                    child++;
                if (!Better(_items[child], item))
                    break;
                _items[at] = _items[child];
                at = child;
            }
            _items[at] = item;
        }

        private readonly bool Better(int a, int b) => _logits[a] > _logits[b] || (_logits[a] == _logits[b] && a < b);
    }
}
