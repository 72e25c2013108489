using CsCheck;
using GptOss.Tokenization;

namespace GptOss.Tests.Tokenization;

public sealed class ByteMergerTests
{
    private static readonly int[] ByteTokens = [.. Enumerable.Range(0, 256)];

    // Merges over three letters, listed in any order: also such that a later merge makes an earlier one possible.
    private static readonly Gen<(int Left, int Right)[]> Merges = Gen.Int[0, 40]
        .SelectMany(count => Gen.Select(Gen.Int[0, 1_000], Gen.Int[0, 1_000]).Array[count])
        .Select(draws =>
        {
            var merges = new List<(int, int)>();
            foreach ((int a, int b) in draws)
            {
                (int, int) pair = (Part(a, merges.Count), Part(b, merges.Count));
                if (!merges.Contains(pair))
                    merges.Add(pair);
            }
            return merges.ToArray();
        });

    [Fact]
    public void The_result_is_that_of_the_definition() =>
        Gen.Select(Merges, Gen.Int['a', 'c'].Array[0, 60], Gen.Int[0, int.MaxValue])
            .Sample(
                (merges, text, seed) =>
                {
                    // A merge's token is 256 + its place in the list; its rank is drawn apart from that.
                    int[] rankOf = [.. Enumerable.Range(0, merges.Length)];
                    new Random(seed).Shuffle(rankOf);
                    var ranks = merges.Select((pair, i) => (pair, i)).ToDictionary(m => m.pair, m => rankOf[m.i]);
                    int[] tokenOf = new int[merges.Length];
                    for (int i = 0; i < merges.Length; i++)
                        tokenOf[rankOf[i]] = 256 + i;

                    var ids = new List<int>();
                    new ByteMerger(new RanksByPair(ranks, tokenOf), ByteTokens).Encode(
                        [.. text.Select(c => (byte)c)],
                        ids
                    );

                    Assert.Equal(Definition(text, ranks, tokenOf), ids);
                },
                iter: 5_000
            );

    [Fact]
    public void A_merger_forgets_the_piece_before()
    {
        var merger = new ByteMerger(new RanksByPair(new() { [('a', 'a')] = 0 }, [256]), ByteTokens);
        var ids = new List<int>();
        merger.Encode("aaaaa"u8, ids);
        merger.Encode("ba"u8, ids);
        merger.Encode(""u8, ids);
        Assert.Equal([256, 256, 'a', 'b', 'a'], ids);
    }

    private static int Part(int draw, int merges)
    {
        int part = draw % (merges + 3);
        return part < 3 ? 'a' + part : 256 + part - 3;
    }

    // Again and again: of all neighbours the pair of lowest rank, the leftmost of equals.
    private static List<int> Definition(int[] text, Dictionary<(int, int), int> ranks, int[] tokenOf)
    {
        List<int> parts = [.. text];
        while (true)
        {
            int best = int.MaxValue,
                at = -1;
            for (int i = 0; i + 1 < parts.Count; i++)
            {
                if (ranks.TryGetValue((parts[i], parts[i + 1]), out int rank) && rank < best)
                    (best, at) = (rank, i);
            }
            if (at < 0)
                return parts;
            parts[at] = tokenOf[best];
            parts.RemoveAt(at + 1);
        }
    }
}
