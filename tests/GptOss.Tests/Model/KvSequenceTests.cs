// Over 300 lines: one sequence is tried from empty to disposed, with helpers that all of its tests share.
using GptOss.Model;
using GptOss.Tests.Kernels;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Model;

/// <summary>Sequences rent, share and release pages, and no logit notices.</summary>
[Trait("speed", "slow")] // without fused multiply-add in the processor these passes take minutes
public sealed class KvSequenceTests
{
    // The window of 100 is no multiple of a page. The letters are the kinds of the layers, full or sliding.
    private static TinyShape Shape(string layers) =>
        new()
        {
            NumHiddenLayers = layers.Length,
            LayerTypes = layers,
            SlidingWindow = 100,
        };

    public static TheoryData<string, KeyValueFormat> Models =>
        new()
        {
            { "sfs", KeyValueFormat.Float32 },
            { "sfs", KeyValueFormat.Float16 },
            { "fs", KeyValueFormat.Int8 },
            { "f", KeyValueFormat.Float32 }, // one group
            { "s", KeyValueFormat.Float32 },
        };

    [Theory, MemberData(nameof(Models))]
    public void Adopting_at_the_edge_of_a_page_gives_the_bits_of_computing(string layers, KeyValueFormat format) =>
        AssertAdopting(layers, format, [1, 63, 64, 65, 127, 128, 129, 162, 163, 164, 192, 200]);

    [Theory, MemberData(nameof(Models))]
    [Trait("speed", "slow")]
    public void Adopting_at_any_length_gives_the_bits_of_computing(string layers, KeyValueFormat format) =>
        AssertAdopting(layers, format, Enumerable.Range(1, 200));

    private static void AssertAdopting(string layers, KeyValueFormat format, IEnumerable<int> lengths)
    {
        using var model = LoadedModel.Random(Shape(layers), seed: 3, format: format);
        PagePool pool = model.Engine.Cache.Pool;
        int[] prompt = LoadedModel.Prompt(204, model.Model.VocabularySize);
        float[][] expected = model.Logits(prompt);
        foreach (int length in lengths)
        {
            using KvSequence first = model.Engine.Cache.NewSequence(),
                second = model.Engine.Cache.NewSequence();
            model.Pass((first, prompt[..length]));
            Assert.True(second.Adopt(Pages(first), length));
            Assert.Equal(length, second.Length);

            // Both go on in turn, and what one of them writes is not seen by the other.
            float[][] near = model.Pass((second, prompt[length..(length + 2)]));
            int other = (prompt[length] + 1) % model.Model.VocabularySize;
            model.Pass((first, [other, other, other, other]));
            float[][] far = model.Pass((second, prompt[(length + 2)..(length + 4)]));
            AssertSame(expected[length..(length + 4)], [.. near, .. far]);
        }
        Assert.Equal(0, pool.RentedBytes);
    }

    [Fact]
    [Trait("speed", "slow")]
    public void Adopting_a_part_of_what_another_sequence_holds_gives_the_bits_of_computing()
    {
        using var model = LoadedModel.Random(Shape("sfs"), seed: 4);
        int[] prompt = LoadedModel.Prompt(204, model.Model.VocabularySize);
        float[][] expected = model.Logits(prompt);
        // The holder stopped at 90, so the window has let nothing go yet; it goes on after each adoption.
        using KvSequence holder = model.Engine.Cache.NewSequence();
        model.Pass((holder, prompt[..90]));
        for (int length = 1; length < 90; length++)
        {
            using KvSequence branch = model.Engine.Cache.NewSequence();
            Assert.True(branch.Adopt(Pages(holder), length));
            AssertSame(expected[length..], model.Pass((branch, prompt[length..])));
        }
        AssertSame(expected[90..], model.Pass((holder, prompt[90..])));
    }

    [Fact]
    public void Whole_pages_are_shared_and_a_part_of_a_page_is_copied()
    {
        using var model = LoadedModel.Random(Shape("fs"), seed: 1);
        KvCache cache = model.Engine.Cache;
        using KvSequence first = cache.NewSequence(),
            second = cache.NewSequence(),
            third = cache.NewSequence();
        model.Pass((first, LoadedModel.Prompt(192, 512)));
        first.LetGoUnseen();
        // 192 positions are three pages of each group; the next query sees 93 and later, so sliding page 0 is gone.
        long three = cache.PageBytes + cache.Pool.Groups[0].PageBytes * 2 + cache.Pool.Groups[1].PageBytes;
        Assert.Equal(three, cache.Bytes);

        Assert.True(second.Adopt(Pages(first), 192));
        Assert.Equal(three, cache.Bytes);
        Assert.Equal(first.Pages(0), second.Pages(0));
        Assert.Equal([KvSequence.LetGo, .. first.Pages(1)[1..]], second.Pages(1).ToArray());

        Assert.True(third.Adopt(Pages(first), 191));
        Assert.Equal(three + cache.PageBytes, cache.Bytes);
        Assert.Equal(first.Pages(0)[..2], third.Pages(0)[..2]);
        Assert.NotEqual(first.Page(0, 2), third.Page(0, 2));
        Assert.Equal(3, cache.Pool.Holders(0, first.Page(0, 1)));
        Assert.Equal(2, cache.Pool.Holders(0, first.Page(0, 2)));
    }

    [Fact]
    public void A_page_that_the_window_no_longer_sees_is_not_held()
    {
        using var model = LoadedModel.Random(Shape("fs"), seed: 1);
        KvCache cache = model.Engine.Cache;
        using KvSequence first = cache.NewSequence(),
            second = cache.NewSequence();
        first.Reserve(256);
        first.Advance(100); // the pages of 100 to 255 are there, and none is behind the window
        Assert.DoesNotContain(KvSequence.LetGo, first.Pages(1).ToArray());

        Assert.True(second.Adopt(Pages(first), 256)); // its next query sees 157 to 256

        Assert.Equal([KvSequence.LetGo, KvSequence.LetGo], second.Pages(1)[..2].ToArray());
        Assert.Equal(first.Pages(1)[2..], second.Pages(1)[2..]);
        first.Advance(63); // the query at 163 sees 64 to 163
        Assert.DoesNotContain(KvSequence.LetGo, first.Pages(1).ToArray());
        first.LetGoUnseen();
        Assert.Equal(0, first.Pages(1).IndexOf(KvSequence.LetGo));
        Assert.Equal(1, first.Pages(1).LastIndexOf(KvSequence.LetGo) + 1);
    }

    [Fact]
    public void Pages_that_lack_one_that_is_seen_are_refused_and_nothing_is_held()
    {
        using var model = LoadedModel.Random(Shape("fs"), seed: 1);
        KvCache cache = model.Engine.Cache;
        using KvSequence first = cache.NewSequence(),
            second = cache.NewSequence();
        model.Pass((first, LoadedModel.Prompt(300, 512)));
        first.LetGoUnseen(); // sliding pages 0 to 2 are gone
        long held = cache.Bytes;

        Assert.Throws<ArgumentException>(() => second.Adopt(Pages(first), 200));
        Assert.Throws<ArgumentException>(() => second.Adopt(Pages(first), 321)); // there are five pages
        Assert.Throws<InvalidOperationException>(() => first.Adopt(Pages(first), 64));

        Assert.Equal((held, 0), (cache.Bytes, second.Length));
        Assert.True(second.Adopt(Pages(first), 300));
    }

    [Theory]
    [InlineData(0)] // no page for the copy of the full layers
    [InlineData(1)] // none for that of the sliding layers
    public void A_copy_that_finds_no_page_gives_everything_back(int copies)
    {
        using KvCache cache = Tiny(pages: 4 + copies); // two of each group are held
        using KvSequence first = cache.NewSequence(),
            second = cache.NewSequence();
        first.Reserve(100);
        first.Advance(100);
        long held = cache.Bytes;

        Assert.False(second.Adopt(Pages(first), 100));

        Assert.Equal((held, 0), (cache.Bytes, second.Length));
        Assert.Equal(0, second.Pages(0).Length + second.Pages(1).Length);
        Assert.Equal(1, cache.Pool.Holders(0, first.Page(0, 0)));
        Assert.True(second.Adopt(Pages(first), 64)); // whole pages need no copy
    }

    /// <summary>The cache that is asked for room is the one that holds the pages that are adopted.</summary>
    [Fact]
    public void Room_for_a_copy_is_not_made_of_the_pages_that_are_copied()
    {
        using KvCache cache = Tiny(pages: 6);
        using KvSequence kept = cache.NewSequence(),
            unused = cache.NewSequence(),
            second = cache.NewSequence();
        kept.Reserve(100);
        kept.Advance(100);
        unused.Reserve(64);
        Fill(cache, kept.Page(0, 1), 5);
        var toRelease = new Queue<KvSequence>([kept, unused]);
        cache.Pool.MakeRoom = _ =>
        {
            if (!toRelease.TryDequeue(out KvSequence? sequence))
                return false;
            sequence.Clear();
            return true;
        };

        Assert.True(second.Adopt(Pages(kept), 100));

        Assert.Empty(toRelease);
        Assert.Equal(100, second.Length);
        Assert.DoesNotContain(Bytes(cache, second.Page(0, 1)).ToArray(), value => value != 5);
        Assert.Equal(2 * cache.PageBytes, cache.Bytes);
    }

    [Fact]
    public void A_reservation_that_does_not_fit_takes_nothing()
    {
        using KvCache cache = Tiny(pages: 5);
        using KvSequence sequence = cache.NewSequence();
        Assert.True(sequence.TryReserve(64));
        long held = cache.Bytes;

        Assert.False(sequence.TryReserve(192)); // four more pages
        var error = Assert.Throws<InvalidOperationException>(() => sequence.Reserve(192));

        Assert.Contains($"need {4 * PageBytes} bytes", error.Message);
        Assert.Contains($"budget of {5 * PageBytes} bytes {3 * PageBytes} are free", error.Message);
        Assert.Equal((held, 1), (cache.Bytes, sequence.Pages(0).Length));
        Assert.True(sequence.TryReserve(128));
    }

    [Fact]
    public void A_reservation_whose_memory_cannot_be_had_takes_nothing()
    {
        for (int nth = 0; nth < 6; nth++)
        {
            using KvCache cache = Tiny(pages: 100);
            var memory = new CountingMemory();
            cache.Pool.Memory = memory;
            using KvSequence sequence = cache.NewSequence();
            sequence.Reserve(64);
            memory.FailsAfter = nth;

            Assert.ThrowsAny<OutOfMemoryException>(() => sequence.Reserve(256));

            Assert.Equal((2 * PageBytes, 1, 1), (cache.Bytes, sequence.Pages(0).Length, sequence.Pages(1).Length));
            Assert.Equal(memory.Taken * PageBytes, cache.Pool.CommittedBytes);
            sequence.Reserve(256);
            Assert.Equal(8 * PageBytes, cache.Bytes);
        }
    }

    [Fact]
    public void A_cleared_sequence_is_empty_and_computes_anew()
    {
        using var model = LoadedModel.Random(Shape("sf"), seed: 2);
        int[] prompt = LoadedModel.Prompt(150, 512);
        float[][] expected = model.Logits(prompt);
        using KvSequence sequence = model.Engine.Cache.NewSequence();
        model.Pass((sequence, LoadedModel.Prompt(170, 512, seed: 9)));

        sequence.Clear();

        Assert.Equal((0, 0L), (sequence.Length, model.Engine.Cache.Bytes));
        AssertSame(expected, model.Pass((sequence, prompt)));
    }

    /// <summary>A page is a number in arrays: two long sequences make no object for any of their 8,192 pages.</summary>
    [Fact]
    public void A_long_context_makes_numbers_and_no_objects()
    {
        const int Context = 131_072,
            Pages = Context / 64;
        using KvCache cache = Tiny(pages: 4 * Pages);
        using KvSequence sequence = cache.NewSequence();
        long before = GC.GetAllocatedBytesForCurrentThread();
        sequence.Reserve(Context);
        long first = GC.GetAllocatedBytesForCurrentThread() - before;
        using KvSequence second = cache.NewSequence();
        sequence.Clear();
        before = GC.GetAllocatedBytesForCurrentThread();
        second.Reserve(Context);
        long again = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal((Pages, Pages), (second.Pages(0).Length, second.Pages(1).Length));
        TestContext.Current.SendDiagnosticMessage($"{Context} positions: {first} bytes first, {again} bytes again");
        // The smallest object has 24 bytes. Arrays that grow by doubling take more in total the first time.
        Assert.InRange(first, 0, 2 * Pages * 60);
        Assert.InRange(again, 0, 2 * Pages * 5);
    }

    private static readonly ModelConfig TinyConfig = ConfigOf(Shape("fs"));

    private static readonly long PageBytes = PageGroup
        .Of(TinyConfig, new KvHeadLayout(KeyValueFormat.Int8, 32))[0]
        .PageBytes;

    // Both groups have one layer, so that all pages have the same size.
    private static KvCache Tiny(int pages) => new(TinyConfig, KeyValueFormat.Int8, pages * PageBytes);

    private static ModelConfig ConfigOf(TinyShape shape)
    {
        using var model = LoadedModel.Random(shape, seed: 1);
        return model.Engine.Weights.Config;
    }

    private static unsafe Span<byte> Bytes(KvCache cache, int page) => new(cache.Pool.Address(0, page), (int)PageBytes);

    private static void Fill(KvCache cache, int page, byte value) => Bytes(cache, page).Fill(value);

    private static ReadOnlyMemory<int>[] Pages(KvSequence sequence) =>
        [.. Enumerable.Range(0, sequence.Groups).Select(group => (ReadOnlyMemory<int>)sequence.Pages(group).ToArray())];

    private static void AssertSame(float[][] expected, float[][] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int position = 0; position < expected.Length; position++)
            Sample.AssertSameBits(expected[position], actual[position], $"position {position}");
    }
}
