using System.Runtime.CompilerServices;
using System.Text;

namespace GptOss.Tests;

public sealed class GptOssTokenizerTests
{
    private static readonly GptOssTokenizer Tokenizer = GptOssTokenizer.O200kHarmony;

    [Theory]
    [InlineData(-1)]
    [InlineData(201_088)]
    [InlineData(int.MaxValue)]
    public void An_id_outside_the_vocabulary_is_refused_with_the_id_and_the_size(int id)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => Tokenizer.Decode([id]));
        Assert.Contains($"{id} ", error.Message);
        Assert.Contains("201088", error.Message);
    }

    [Fact]
    public void The_bytes_of_tokens_together_are_those_of_their_text()
    {
        // The emoji and the rare letter take several tokens each: bytes of a token need not be whole characters.
        const string Text = "naïve 🙂 𠀀 done";
        IReadOnlyList<int> ids = Tokenizer.Encode(Text);
        Assert.Equal(Encoding.UTF8.GetBytes(Text), ids.SelectMany(Tokenizer.GetBytes));
        Assert.Contains(ids, id => Encoding.UTF8.GetString(Tokenizer.GetBytes(id)).Contains('\ufffd'));
        Assert.Equal("<|return|>"u8.ToArray(), Tokenizer.GetBytes(200_002));

        byte[] own = Tokenizer.GetBytes(ids[0]);
        own[0]++;
        Assert.NotEqual(own, Tokenizer.GetBytes(ids[0])); // what is given away is a copy
        Assert.Throws<ArgumentOutOfRangeException>(() => Tokenizer.GetBytes(201_088));
        Assert.Throws<ArgumentOutOfRangeException>(() => Tokenizer.GetBytes(-1));
    }

    [Fact]
    public void Count_is_the_number_of_ids()
    {
        Assert.Equal(0, Tokenizer.Count(""));
        Assert.Equal(Tokenizer.Encode("Hello world, 12345").Count, Tokenizer.Count("Hello world, 12345"));
    }

    [Fact]
    public async Task Streamed_pieces_are_whole_characters_and_together_the_text()
    {
        // Emoji and rare letters take several tokens each, so characters are cut by tokens here.
        const string Text = "naïve 🙂👩‍👩‍👧 𠀀𝐀 done";
        List<string> pieces = await Pieces(Tokenizer.Encode(Text));
        Assert.Equal(Text, string.Concat(pieces));
        Assert.All(pieces, piece =>
        {
            Assert.NotEqual("", piece);
            Assert.DoesNotContain("\ufffd", piece);
            Assert.Equal(piece, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(piece)));
        });
        Assert.Equal(" done", pieces[^1]);
    }

    [Fact]
    public async Task Streamed_pieces_of_any_tokens_are_what_decoding_at_once_gives()
    {
        var random = new Random(1);
        for (int run = 0; run < 50; run++)
        {
            int below = run % 2 == 0 ? 256 : Tokenizer.VocabularySize; // the first 256 are single bytes
            int[] ids = [.. Enumerable.Range(0, 40).Select(_ => random.Next(below))];
            Assert.Equal(Tokenizer.Decode(ids), string.Concat(await Pieces(ids)));
        }
    }

    [Fact]
    public async Task Streaming_stops_when_it_is_cancelled()
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (string piece in Tokenizer.DecodeAsync(Endless(cancel.Token), cancel.Token))
                await cancel.CancelAsync();
        });
    }

    [Fact]
    public async Task Many_threads_may_encode_at_once()
    {
        string[] texts = [.. Enumerable.Range(0, 64).Select(i => $"Text {i}: {new string((char)('a' + i % 26), 300)}")];
        IReadOnlyList<int>[] expected = [.. texts.Select(Tokenizer.Encode)];
        IReadOnlyList<int>[] actual = await Task.WhenAll(
            texts.Select(text => Task.Run(() => Tokenizer.Encode(text), TestContext.Current.CancellationToken))
        );
        Assert.Equal(expected, actual);
    }

    private static async Task<List<string>> Pieces(IEnumerable<int> ids)
    {
        var pieces = new List<string>();
        CancellationToken cancel = TestContext.Current.CancellationToken;
        await foreach (string piece in Tokenizer.DecodeAsync(ids.ToAsyncEnumerable(), cancel))
            pieces.Add(piece);
        return pieces;
    }

    private static async IAsyncEnumerable<int> Endless([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
            yield return 64;
        }
    }
}
