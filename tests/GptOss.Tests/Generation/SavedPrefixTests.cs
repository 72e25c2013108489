// Longer, because saving and loading are broken off in every way with one stream that a test steers.
using GptOss.Generation;
using GptOss.Model;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;
using Microsoft.Extensions.AI;

namespace GptOss.Tests.Generation;

/// <summary>
/// What comes back of a prompt that was saved, and what happens where saving or loading is broken off.
/// </summary>
[Trait("speed", "slow")] // without fused multiply-add in the processor these passes take minutes
public sealed class SavedPrefixTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly LoadedModel _model = LoadedModel.Random(new TinyShape(), seed: 1);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string File => Path.Combine(_folder.Path, "prefix");

    private PagePool Pool => _model.Engine.Cache.Pool;

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    // Lengths at and around the ends of pages and windows: of n tokens n − 1 are saved.
    [Theory]
    [InlineData("f", 16, KeyValueFormat.Float32)]
    [InlineData("s", 16, KeyValueFormat.Float16)] // no full layer at all
    [InlineData("sf", 64, KeyValueFormat.Int8)]
    [InlineData("fs", 128, KeyValueFormat.Float32)]
    [InlineData("sffs", 1, KeyValueFormat.Int8)] // a window of the own position alone
    public async Task A_restored_prefix_answers_as_if_computed_alone_to_the_last_bit(
        string layers,
        int window,
        KeyValueFormat format
    )
    {
        var shape = new TinyShape
        {
            LayerTypes = layers,
            NumHiddenLayers = layers.Length,
            SlidingWindow = window,
        };
        using LoadedModel one = LoadedModel.Random(shape, seed: 1, format: format);
        using var two = new LoadedModel(one.Folder, format: format);
        foreach (int length in (int[])[2, 64, 65, 66, 80, 81, 143, 144, 145, 192, 193, 200, 640])
        {
            int[] prompt = LoadedModel.Prompt(length, 512, seed: length);
            Answer expected = await Ask(one, prompt, $"alone {length}");
            Answer longer = await Ask(one, [.. prompt, 1, 2, 3], $"alone {length} and more");
            await one.Model.SavePrefixAsync(prompt, File, $"{length}", Stop);

            Assert.Equal(length - 1, await two.Model.LoadPrefixAsync(File, $"{length}", Stop));
            Answer answer = await Ask(two, prompt, $"{length}");

            Assert.Equal((expected, length - 1), (answer, answer.Cached));
            answer = await Ask(two, [.. prompt, 1, 2, 3], $"{length}");
            Assert.Equal(longer, answer);
            Assert.InRange(answer.Cached, length - 1, length + 2); // the answer may have begun with the same tokens
            Assert.Equal(0, (await Ask(two, prompt, "another scope")).Cached);
        }
        Assert.Equal((0L, 0L), (one.Engine.Cache.Pool.HeldBytes, two.Engine.Cache.Pool.HeldBytes));
    }

    [Fact]
    public async Task Equal_prefixes_make_equal_files_whatever_lay_in_the_pages_before()
    {
        int[] prompt = LoadedModel.Prompt(70, 512);
        byte[] first = await Saved(prompt);
        for (int seed = 2; seed < 6; seed++)
        {
            await Ask(_model, LoadedModel.Prompt(300, 512, seed), "other");
            while (Pool.MakeRoom!(1)) { } // free pages keep what others wrote
            Assert.Equal(first, await Saved(prompt));
        }
        using var again = new LoadedModel(_model.Folder);
        await again.Model.LoadPrefixAsync(new MemoryStream(first), null, Stop);
        var stream = new MemoryStream();
        await again.Model.SavePrefixAsync(prompt, stream, null, Stop);
        Assert.Equal(first, stream.ToArray());
    }

    [Fact]
    public async Task A_chat_begins_behind_its_saved_instructions()
    {
        var options = new ChatOptions
        {
            Temperature = 0,
            MaxOutputTokens = 20,
            RawRepresentationFactory = _ => new GptOssRequestOptions
            {
                CurrentDate = new DateOnly(2026, 1, 1),
                CacheScope = "a",
            },
        };
        ChatMessage instructions = new(ChatRole.System, "Answer as briefly as you can.");
        ChatMessage[] messages = [instructions, new(ChatRole.User, "What is 2 + 3?")];
        using GptOssChatClient one = await GptOssChatClient.LoadAsync(TinyGptOss.Folder, cancellationToken: Stop);
        using GptOssChatClient two = await GptOssChatClient.LoadAsync(TinyGptOss.Folder, cancellationToken: Stop);
        ChatResponse expected = await one.GetResponseAsync(messages, options, Stop);
        await one.SavePrefixAsync([instructions], options, File, Stop);

        int tokens = await two.GetRequiredService<GptOssModel>().LoadPrefixAsync(File, "a", Stop);
        ChatResponse response = await two.GetResponseAsync(messages, options, Stop);

        Assert.Equal(one.CountTokens([instructions], options) - 1, tokens);
        Assert.Equal((expected.Text, tokens), (response.Text, response.Usage!.CachedInputTokenCount));
    }

    [Fact]
    public async Task A_stream_is_read_to_the_end_of_the_prefix_and_no_further()
    {
        int[] prompt = LoadedModel.Prompt(70, 512);
        byte[] saved = await Saved(prompt);
        var stream = new OddStream([.. saved, 1, 2, 3]);
        Assert.Equal(69, await _model.Model.LoadPrefixAsync(stream, "b", Stop));
        Assert.Equal(saved.Length, stream.Done);
        Assert.Equal(69, (await Ask(_model, prompt, "b")).Cached);
    }

    [Fact]
    public async Task A_write_that_fails_comes_through_as_it_is_and_loses_nothing()
    {
        int[] prompt = LoadedModel.Prompt(70, 512);
        await _model.Model.SavePrefixAsync(prompt, File, null, Stop);
        byte[] old = System.IO.File.ReadAllBytes(File);
        int failed = 0;
        for (bool isDone = false; !isDone; failed++)
        {
            int left = failed;
            try
            {
                var stream = new OddStream([]) { Step = () => Throw(left-- == 0) };
                await _model.Model.SavePrefixAsync(prompt, stream, null, Stop);
                isDone = true;
            }
            catch (IOException e)
            {
                Assert.Equal("no space", e.Message);
            }
            Assert.Equal(0, Pool.HeldBytes);
        }
        Assert.True(failed > 3, $"only {failed} writes");
        await Assert.ThrowsAsync<IOException>(() => GptOss.Checkpoint.AtomicFile.WriteAsync(File, async stream =>
            {
                await stream.WriteAsync(new byte[100], Stop);
                Throw(true);
            }));
        Assert.Equal(old, System.IO.File.ReadAllBytes(File));
        Assert.Equal([File], Directory.GetFiles(_folder.Path));

        static void Throw(bool now)
        {
            if (now)
                throw new IOException("no space");
        }
    }

    [Fact]
    public async Task Cancelling_in_the_middle_of_either_leaves_no_page_and_no_prefix()
    {
        int[] prompt = LoadedModel.Prompt(300, 512);
        byte[] saved = await Saved(prompt);
        while (Pool.MakeRoom!(1)) { }
        foreach (int steps in (int[])[0, 1, 2, 3])
        {
            await Cancelled(stop => _model.Model.LoadPrefixAsync(Stopping(saved, steps, stop), "c", stop.Token));
            Assert.Equal(0L, Pool.RentedBytes);
        }
        foreach (int steps in (int[])[0, 1, 2, 3])
        {
            await Cancelled(stop => _model.Model.SavePrefixAsync(prompt, Stopping([], steps, stop), "c", stop.Token));
            Assert.Equal(0L, Pool.HeldBytes);
        }

        static OddStream Stopping(byte[] content, int steps, CancellationTokenSource stop) =>
            new(content)
            {
                Most = 1 << 20,
                Step = () =>
                {
                    if (steps-- == 0)
                        stop.Cancel();
                },
            };

        static async Task Cancelled(Func<CancellationTokenSource, Task> act)
        {
            using var stop = new CancellationTokenSource();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => act(stop));
        }
    }

    [Fact]
    public async Task A_model_that_is_disposed_in_the_middle_says_so()
    {
        byte[] saved = await Saved(LoadedModel.Prompt(300, 512));
        using var loading = new LoadedModel(_model.Folder);
        using var saving = new LoadedModel(_model.Folder);
        await Assert.ThrowsAsync<ObjectDisposedException>(() =>
            loading.Model.LoadPrefixAsync(new OddStream(saved) { Step = loading.Model.Dispose }, null, Stop)
        );
        await Assert.ThrowsAsync<ObjectDisposedException>(() =>
            saving.Model.SavePrefixAsync(
                LoadedModel.Prompt(300, 512),
                new OddStream([]) { Step = saving.Model.Dispose },
                null,
                Stop
            )
        );
        await Assert.ThrowsAsync<ObjectDisposedException>(() =>
            saving.Model.LoadPrefixAsync(new MemoryStream(saved), null, Stop)
        );
    }

    [Fact]
    public async Task A_prefix_for_which_requests_leave_no_room_is_refused_with_the_figures_and_can_be_loaded_later()
    {
        byte[] saved = await Saved(LoadedModel.Prompt(300, 512));
        var options = new ModelOptions { KvCacheBytes = 8 * _model.Engine.Cache.PageBytes };
        using GptOssModel small = await GptOssModel.LoadAsync(_model.Folder, options, cancellationToken: Stop);
        using (KvSequence running = small.Engine.Cache.NewSequence())
        {
            running.Reserve(330);
            await Ask(small, LoadedModel.Prompt(40, 512, seed: 9), "kept");
            long before = small.Engine.Cache.Pool.RentedBytes;
            Assert.True(before > running.HeldBytes);
            SavedStateException error = await Assert.ThrowsAsync<SavedStateException>(() =>
                small.LoadPrefixAsync(new MemoryStream(saved), null, Stop)
            );
            Assert.Contains("are free beside the requests", error.Message);
            Assert.Equal(before, small.Engine.Cache.Pool.RentedBytes); // nothing that was kept went in vain
        }
        Assert.Equal(299, await small.LoadPrefixAsync(new MemoryStream(saved), null, Stop));
    }

    /// <summary>The pages of a prefix that is loaded are held by nobody who runs.</summary>
    [Fact]
    public async Task A_request_that_finds_no_pages_beside_a_slow_load_waits_and_is_not_cut()
    {
        byte[] saved = await Saved(LoadedModel.Prompt(300, 512));
        Answer expected = await Ask(_model, LoadedModel.Prompt(300, 512, seed: 2), "alone");
        var options = new ModelOptions { KvCacheBytes = 7 * _model.Engine.Cache.PageBytes };
        using GptOssModel small = await GptOssModel.LoadAsync(_model.Folder, options, cancellationToken: Stop);
        using var goOn = new ManualResetEventSlim();
        using var isHeld = new ManualResetEventSlim();
        int steps = 0;
        var slow = new OddStream(saved)
        {
            Most = 4096,
            Step = () =>
            {
                if (++steps < 5)
                    return;
                isHeld.Set();
                goOn.Wait(Stop);
            },
        };
        Task<int> loading = small.LoadPrefixAsync(slow, null, Stop);
        try
        {
            Assert.True(isHeld.Wait(TimeSpan.FromSeconds(10), Stop));
            Task<Answer> waiting = Ask(small, LoadedModel.Prompt(300, 512, seed: 2), "other");
            await Task.Delay(50, Stop);
            Assert.False(waiting.IsCompleted, $"{waiting.Exception}");
            goOn.Set();
            Assert.Equal(expected, await waiting.WaitAsync(TimeSpan.FromSeconds(10), Stop));
            Assert.Equal(299, await loading);
        }
        finally
        {
            goOn.Set();
        }
    }

    [Fact]
    public async Task Fewer_than_two_ids_a_folder_and_what_is_no_file_are_refused_before_anything_is_computed()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => _model.Model.SavePrefixAsync([1], File, null, Stop));
        await Assert.ThrowsAsync<IOException>(() => _model.Model.SavePrefixAsync([1, 2], _folder.Path, null, Stop));
        await Assert.ThrowsAsync<DirectoryNotFoundException>(() =>
            _model.Model.SavePrefixAsync([1, 2], Path.Combine(_folder.Path, "none", "prefix"), null, Stop)
        );
        await Assert.ThrowsAsync<SavedStateException>(() => _model.Model.LoadPrefixAsync(_folder.Path, null, Stop));
        if (!OperatingSystem.IsWindows())
            await Assert.ThrowsAsync<IOException>(() => _model.Model.SavePrefixAsync([1, 2], "/dev/null", null, Stop));
        Assert.Equal(0L, Pool.RentedBytes);
    }

    private async Task<byte[]> Saved(int[] prompt)
    {
        var stream = new MemoryStream();
        await _model.Model.SavePrefixAsync(prompt, stream, "saved", Stop);
        return stream.ToArray();
    }

    private static Task<Answer> Ask(LoadedModel model, int[] prompt, string scope) => Ask(model.Model, prompt, scope);

    private static async Task<Answer> Ask(GptOssModel model, int[] prompt, string scope)
    {
        var request = new GenerationRequest
        {
            Prompt = prompt,
            MaxTokens = 8,
            LogProbabilities = 3,
            Scope = scope,
            Sampling = SamplingOptions.Greedy,
        };
        using ITokenStream stream = model.Source.Submit(request, Stop);
        return await Answer.Of(stream, Stop);
    }

    /// <summary>A stream that cannot seek, gives a few bytes at a time, and calls a test before every step.</summary>
    private sealed class OddStream(byte[] content) : Stream
    {
        public int Most { get; init; } = 7;

        public Action? Step { get; init; }

        /// <summary>How many bytes were read.</summary>
        public int Done { get; private set; }

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => throw new NotSupportedException();
        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Flush() { }

        public override int Read(byte[] buffer, int offset, int count)
        {
            Step?.Invoke();
            int given = Math.Min(Math.Min(Most, count), content.Length - Done);
            content.AsSpan(Done, given).CopyTo(buffer.AsSpan(offset));
            Done += given;
            return given;
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => Step?.Invoke();
    }
}
