using GptOss.Model;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Model;

public sealed class KvCacheTests
{
    [Theory]
    [InlineData(1, 1)] // sees itself alone
    [InlineData(16, 1)]
    [InlineData(64, 1)] // exactly a page
    [InlineData(65, 2)] // one key of the page before
    [InlineData(128, 2)]
    [Trait("speed", "slow")]
    public void A_sliding_layer_holds_no_more_than_its_window_however_long_the_sequence(int window, int pages)
    {
        using var model = LoadedModel.Random(
            new TinyShape
            {
                NumHiddenLayers = 1,
                LayerTypes = "s",
                SlidingWindow = window,
            },
            seed: 1
        );
        KvCache cache = model.Engine.Cache;
        using KvSequence sequence = cache.NewSequence();
        int most = 0;
        foreach (int token in LoadedModel.Prompt(400, model.Model.VocabularySize))
        {
            model.Pass((sequence, [token]));
            most = Math.Max(most, (int)(cache.Bytes / cache.PageBytes));
        }
        // A query of the next token sees window − 1 of the stored positions, and its page may begin with it.
        Assert.InRange(most, pages, pages + 1);
        Assert.Equal(0, cache.Bytes % cache.PageBytes);
    }

    [Fact]
    public void A_full_layer_grows_by_a_page_every_64_positions()
    {
        using var model = LoadedModel.Random(new TinyShape { NumHiddenLayers = 1, LayerTypes = "f" }, seed: 1);
        KvCache cache = model.Engine.Cache;
        using KvSequence sequence = cache.NewSequence();
        Assert.Equal(0, cache.Bytes);
        foreach ((int tokens, int pages) in ((int, int)[])[(1, 1), (63, 1), (1, 2), (300, 6)])
        {
            model.Pass((sequence, LoadedModel.Prompt(tokens, 512)));
            Assert.Equal(pages * cache.PageBytes, cache.Bytes);
        }
    }

    [Fact]
    public void A_long_chunk_keeps_what_its_first_rows_see_until_it_is_done()
    {
        using var model = LoadedModel.Random(
            new TinyShape
            {
                NumHiddenLayers = 1,
                LayerTypes = "s",
                SlidingWindow = 16,
            },
            seed: 1
        );
        KvCache cache = model.Engine.Cache;
        using KvSequence sequence = cache.NewSequence();
        model.Pass((sequence, LoadedModel.Prompt(500, 512)));
        Assert.Equal(8 * cache.PageBytes, cache.Bytes); // whoever keeps prefixes takes them now
        sequence.LetGoUnseen();
        Assert.Equal(cache.PageBytes, cache.Bytes);
        Assert.Throws<InvalidOperationException>(() => sequence.Page(group: 0, index: 0));
    }

    [Fact]
    public void Everything_is_given_back_when_a_sequence_is_disposed()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1, format: KeyValueFormat.Float16);
        KvCache cache = model.Engine.Cache;
        KvSequence a = cache.NewSequence(),
            b = cache.NewSequence();
        model.Pass((a, LoadedModel.Prompt(200, 512)), (b, LoadedModel.Prompt(10, 512)));
        a.Dispose();
        Assert.Equal(cache.PageBytes, cache.Bytes); // one page of b in each of the two groups
        a.Dispose();
        b.Dispose();
        Assert.Equal(0, cache.Bytes);
    }

    [Fact]
    public void Float16_takes_half_the_memory_and_int8_a_quarter_and_scales()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using var half = new LoadedModel(model.Folder, format: KeyValueFormat.Float16);
        using var quarter = new LoadedModel(model.Folder, format: KeyValueFormat.Int8);
        Assert.Equal(model.Engine.Cache.PageBytes, 2 * half.Engine.Cache.PageBytes);
        // 2 layers of keys and values, 2 heads of 32 float32 each.
        Assert.Equal(2 * 2 * 2 * 32 * 4, model.Engine.Cache.BytesPerPosition);
        Assert.Equal(2 * 2 * 2 * (32 + 4), quarter.Engine.Cache.BytesPerPosition);
    }

    [Fact]
    public void A_sequence_is_refused_a_second_place_in_a_batch()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using KvSequence sequence = model.Engine.Cache.NewSequence();
        var batch = new Batch();
        batch.Add(sequence, [1, 2], Wanted.Last);
        Assert.Throws<ArgumentException>(() => batch.Add(sequence, [3], Wanted.Last));
    }
}
