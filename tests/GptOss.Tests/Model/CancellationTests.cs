using System.Diagnostics;
using GptOss.Generation;
using GptOss.Kernels;
using GptOss.Model;
using GptOss.Tests.Kernels;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Model;

/// <summary>A pass that is stopped leaves its sequences as they were.</summary>
[Trait("speed", "slow")] // without fused multiply-add in the processor these passes take minutes
[Promise(15)]
public sealed class CancellationTests : IDisposable
{
    private static readonly TinyShape Shape = new() { NumHiddenLayers = 4, SlidingWindow = 20 };
    private readonly LoadedModel _model = LoadedModel.Random(Shape, seed: 8, threads: 2);
    private readonly int[] _prompt = LoadedModel.Prompt(140, Shape.VocabSize);

    public void Dispose() => _model.Dispose();

    [Fact]
    public void A_pass_that_is_stopped_before_it_began_changes_nothing()
    {
        float[][] expected = _model.Logits(_prompt);
        using KvSequence sequence = _model.Engine.Cache.NewSequence();
        float[][] first = _model.Pass((sequence, _prompt[..70]));

        Assert.ThrowsAny<OperationCanceledException>(() =>
            Forward(sequence, _prompt[70..], new CancellationToken(canceled: true))
        );

        Assert.Equal(70, sequence.Length);
        AssertSame(expected, [.. first, .. _model.Pass((sequence, _prompt[70..]))]);
    }

    /// <summary>
    /// Query blocks of 16 rows on 131,000 positions, 32 splits each: a thread is to end before its next split and not
    /// after the last. Half of the block would be left, on average, and a split is a thirty-second.
    /// </summary>
    [Theory]
    [InlineData(16, 1)]
    [InlineData(64, 2)]
    public void A_pass_that_attends_far_back_is_stopped_within_a_query_block(int rows, int threads)
    {
        TinyShape shape = new()
        {
            NumHiddenLayers = 1,
            LayerTypes = "f",
            NumAttentionHeads = 8,
            NumKeyValueHeads = 1,
            OriginalContext = 4096,
        };
        using var model = LoadedModel.Random(shape, seed: 8, threads);
        using KvSequence sequence = model.Remembering(131_000);
        int[] tokens = LoadedModel.Prompt(rows, shape.VocabSize);
        Pass(CancellationToken.None);
        long started = Stopwatch.GetTimestamp();
        Pass(CancellationToken.None);
        TimeSpan whole = Stopwatch.GetElapsedTime(started);

        List<double> left = [];
        for (int twentieth = 1; twentieth < 16; twentieth++)
        {
            using var source = new CancellationTokenSource();
            long cancelled = 0;
            var canceller = new Thread(() =>
            {
                Thread.Sleep(whole * twentieth / 20);
                cancelled = Stopwatch.GetTimestamp();
                source.Cancel();
            });
            canceller.Start();
            bool stopped = Pass(source.Token);
            long ended = Stopwatch.GetTimestamp();
            canceller.Join();
            if (stopped)
                left.Add(Stopwatch.GetElapsedTime(cancelled, ended) / whole);
        }

        Assert.InRange(left.Count, 5, 15);
        Assert.InRange(left.Order().ElementAt(left.Count / 2), 0, 1 / 6.0);

        bool Pass(CancellationToken stop)
        {
            try
            {
                model.Engine.Forward(batch => batch.Add(sequence, tokens, Wanted.None), _ => { }, stop);
                return false;
            }
            catch (OperationCanceledException)
            {
                return true;
            }
        }
    }

    /// <summary>Stops at many moments of a pass, and of another sequence's pass in the same batch.</summary>
    [Fact]
    [Trait("speed", "slow")]
    public void A_pass_that_is_stopped_anywhere_leaves_its_sequences_usable()
    {
        float[][] expected = _model.Logits(_prompt);
        int stopped = 0;
        int rounds = Long.IsLong ? 2_400 : 24;
        for (int round = 0; round < rounds; round++)
        {
            using KvSequence a = _model.Engine.Cache.NewSequence(),
                b = _model.Engine.Cache.NewSequence();
            float[][] first = _model.Pass((a, _prompt[..63]), (b, _prompt[..5]));
            using var source = new CancellationTokenSource();
            // From another thread: the pass itself polls, so where it is stopped is up to the clock.
            var canceller = new Thread(() =>
            {
                Thread.SpinWait(300 * (round % 24));
                source.Cancel();
            });
            canceller.Start();
            float[][] second = [];
            try
            {
                second = Forward(a, _prompt[63..], source.Token, b);
            }
            catch (OperationCanceledException)
            {
                stopped++;
                Assert.Equal((63, 5), (a.Length, b.Length));
                second = Forward(a, _prompt[63..], CancellationToken.None, b);
            }
            canceller.Join();

            AssertSame(expected, [.. first[..63], .. second[..77]]);
            AssertSame(expected[..8], [.. first[63..], .. second[77..]]);
        }
        Figure.Tell($"{stopped} of {rounds} passes were stopped somewhere: 0 wrong continuations");
        Assert.InRange(stopped, 1, rounds);
    }

    private float[][] Forward(KvSequence sequence, int[] tokens, CancellationToken stop, KvSequence? other = null)
    {
        float[][] rows = [];
        _model.Engine.Forward(
            batch =>
            {
                batch.Add(sequence, tokens, Wanted.All);
                if (other is not null)
                    batch.Add(other, _prompt.AsSpan(other.Length, 3), Wanted.All);
            },
            logits => rows = Copies(logits),
            stop
        );
        return rows;
    }

    private static float[][] Copies(Rows logits)
    {
        var copies = new float[logits.Count][];
        for (int row = 0; row < copies.Length; row++)
            copies[row] = logits[row].ToArray();
        return copies;
    }

    private static void AssertSame(float[][] expected, float[][] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int position = 0; position < expected.Length; position++)
            Sample.AssertSameBits(expected[position], actual[position], $"position {position}");
    }
}
