// Over 300 lines: the tests share one model folder and cover the whole of one public type.
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;

namespace GptOss.Tests;

public sealed class GptOssModelTests : IDisposable
{
    // No stop token is drawn by chance: an answer ends where a test wants it.
    private static readonly TinyShape Shape = new()
    {
        NumHiddenLayers = 3,
        OriginalContext = 64,
        RopeFactor = 4,
    };
    private static readonly SamplingOptions Seeded = new() { Seed = 11, TopP = 0.95f };

    private readonly TemporaryFolder _folder = new();

    public GptOssModelTests() =>
        TinyCheckpoint.Write(_folder.Path, Shape with { WithGenerationConfig = false }, seed: 2);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_disposed_model_s_message_names_the_model()
    {
        GptOssChatClient client = await GptOssChatClient.LoadAsync(
            TinyGptOss.Folder,
            cancellationToken: TestContext.Current.CancellationToken
        );
        var model = (GptOssModel)client.GetService(typeof(GptOssModel))!;
        using GptOssChatClient other = model.AsChatClient();
        client.Dispose();

        var error = await Assert.ThrowsAsync<ObjectDisposedException>(() =>
            other.GetResponseAsync(
                [new Microsoft.Extensions.AI.ChatMessage(Microsoft.Extensions.AI.ChatRole.User, "Hi")],
                cancellationToken: TestContext.Current.CancellationToken
            )
        );
        Assert.Equal("The model 'gpt-oss-tiny' was disposed.", error.Message);
        error = await Assert.ThrowsAsync<ObjectDisposedException>(async () =>
            await model
                .Generate([1, 2], cancellationToken: TestContext.Current.CancellationToken)
                .CountAsync(TestContext.Current.CancellationToken)
        );
        Assert.Equal("The model 'gpt-oss-tiny' was disposed.", error.Message);
    }

    [Fact]
    public async Task A_progress_callback_that_throws_leaves_no_thread_and_no_meter_behind()
    {
        List<System.Diagnostics.Metrics.Instrument> gone = [];
        using var listener = new System.Diagnostics.Metrics.MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == "GptOss")
                    self.EnableMeasurementEvents(instrument);
            },
            MeasurementsCompleted = (instrument, _) =>
            {
                lock (gone)
                    gone.Add(instrument);
            },
        };
        listener.Start();
        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            GptOssModel.LoadAsync(TinyGptOss.Folder, null, new Faulty("Ready"), TestContext.Current.CancellationToken)
        );
        Assert.Equal("Ready", thrown.Message);
        lock (gone)
            Assert.Contains(gone, instrument => instrument.Name == "gptoss.kv.bytes");
    }

    private sealed class Faulty(string stage) : IProgress<LoadProgress>
    {
        public void Report(LoadProgress value)
        {
            if (value.Stage == stage)
                throw new InvalidOperationException(stage);
        }
    }

    [Fact]
    public async Task Tokens_that_nobody_limits_end_at_the_models_limit()
    {
        using var folder = new TemporaryFolder();
        TinyCheckpoint.Write(folder.Path, new TinyShape(), seed: 1);
        using GptOssModel model = await GptOssModel.LoadAsync(
            folder.Path,
            new ModelOptions { MaxOutputTokens = 5 },
            cancellationToken: TestContext.Current.CancellationToken
        );
        Assert.Equal(
            5,
            await model
                .Generate([1, 2, 3], SamplingOptions.Greedy, cancellationToken: TestContext.Current.CancellationToken)
                .CountAsync(TestContext.Current.CancellationToken)
        );
        Assert.Equal(32_768, ModelOptions.Default.MaxOutputTokens);
        Assert.Throws<ArgumentOutOfRangeException>(() => new ModelOptions { MaxOutputTokens = 0 });
    }

    [Fact]
    public async Task The_greedy_answer_is_that_of_the_logits_taken_by_hand()
    {
        await using GptOssModel model = await Load();
        int[] prompt = LoadedModel.Prompt(30, 512);
        int[] byHand;
        using (var other = new LoadedModel(_folder.Path))
            byHand = other.Greedy(prompt, 20);
        Assert.Equal(
            byHand,
            await model.Generate(prompt, SamplingOptions.Greedy, cancellationToken: Stop).Take(20).ToArrayAsync(Stop)
        );
    }

    [Fact]
    public async Task A_stop_token_is_the_last_of_the_stream()
    {
        int[] prompt = LoadedModel.Prompt(30, 512),
            free;
        await using (GptOssModel model = await Load())
            free = await model
                .Generate(prompt, SamplingOptions.Greedy, cancellationToken: Stop)
                .Take(20)
                .ToArrayAsync(Stop);
        int last = Enumerable.Range(1, 19).First(i => Array.IndexOf(free, free[i]) == i); // new at its place
        File.WriteAllText(
            Path.Combine(_folder.Path, "generation_config.json"),
            $$"""{"eos_token_id": [1, {{free[last]}}]}"""
        );

        await using GptOssModel stopping = await Load();

        Assert.Equal([1, free[last]], stopping.StopTokens);
        Assert.Equal(
            free[..(last + 1)],
            await stopping.Generate(prompt, SamplingOptions.Greedy, cancellationToken: Stop).ToArrayAsync(Stop)
        );
    }

    [Fact]
    public async Task The_stream_ends_when_the_context_is_full()
    {
        await using GptOssModel model = await Load(new ModelOptions { ContextLength = 40 });
        Assert.Equal(40, model.ContextLength);
        Assert.Equal(
            10,
            await model
                .Generate(LoadedModel.Prompt(30, 500), SamplingOptions.Greedy, cancellationToken: Stop)
                .CountAsync(Stop)
        );
        Assert.Equal(
            1,
            await model
                .Generate(LoadedModel.Prompt(39, 500), SamplingOptions.Greedy, cancellationToken: Stop)
                .CountAsync(Stop)
        );
        Assert.Equal(0, model.Engine.Cache.Bytes);
    }

    [Fact]
    public async Task A_prompt_that_leaves_no_room_is_refused_with_both_numbers()
    {
        await using GptOssModel model = await Load(new ModelOptions { ContextLength = 40 });
        var refusal = await Assert.ThrowsAsync<ContextLengthException>(() => First(model, LoadedModel.Prompt(40, 500)));
        Assert.Equal((40, 40), (refusal.PromptTokens, refusal.ContextLength));
        Assert.Contains("40", refusal.Message);
    }

    [Fact]
    public async Task A_prompt_without_an_end_is_refused_after_one_id_more_than_the_context()
    {
        await using GptOssModel model = await Load(new ModelOptions { ContextLength = 40 });
        int taken = 0;
        var refusal = await Assert.ThrowsAsync<ContextLengthException>(() => First(model, Endless()));
        Assert.Equal((41, 41), (refusal.PromptTokens, taken));
        await Assert.ThrowsAsync<ContextLengthException>(() =>
            model.SavePrefixAsync(Endless(), Stream.Null, cancellationToken: Stop)
        );
        Assert.Equal(82, taken);

        IEnumerable<int> Endless()
        {
            while (taken < 100_000) // as good as none, and yet the test ends where all are taken
            {
                taken++;
                yield return 1;
            }
        }
    }

    [Fact]
    public async Task A_longer_context_than_the_model_has_is_refused()
    {
        await using GptOssModel model = await Load();
        Assert.Equal(256, model.ContextLength); // 64 × 4
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Load(new ModelOptions { ContextLength = 257 }));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(512)]
    [InlineData(int.MaxValue)]
    [InlineData(int.MinValue)]
    public async Task An_id_outside_the_vocabulary_is_the_callers_mistake(int id)
    {
        await using GptOssModel model = await Load();
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => First(model, [1, id]));
        await Assert.ThrowsAsync<ArgumentException>(() => First(model, []));
        Assert.Throws<ArgumentNullException>(() => model.Generate(null!, cancellationToken: Stop));
        Assert.InRange(await First(model, [0, 511]), 0, 511);
    }

    [Fact]
    [Trait("speed", "slow")]
    public async Task Generations_at_the_same_time_give_what_they_give_one_by_one()
    {
        await using GptOssModel model = await Load(new ModelOptions { Threads = 2 });
        Task<int[]> Run(int i) =>
            model
                .Generate(
                    LoadedModel.Prompt(10 + 7 * i, 512, i),
                    Seeded with
                    {
                        Seed = (ulong)i,
                    },
                    cancellationToken: Stop
                )
                .Take(40)
                .ToArrayAsync(Stop)
                .AsTask();

        var alone = new int[8][];
        for (int i = 0; i < alone.Length; i++)
            alone[i] = await Run(i);
        int[][] together = await Task.WhenAll(
            Enumerable.Range(0, alone.Length).Select(i => Task.Run(() => Run(i), Stop))
        );

        Assert.Equal(alone, together);
        Assert.Equal(alone.Length, alone.Select(answer => string.Join(' ', answer)).Distinct().Count());
        Assert.True(SpinWait.SpinUntil(() => model.Engine.Cache.Bytes == 0, TimeSpan.FromSeconds(5)));
    }

    [Fact]
    [Trait("speed", "slow")]
    public async Task A_generation_that_is_left_or_cancelled_disturbs_no_other()
    {
        await using GptOssModel model = await Load();
        int[] prompt = LoadedModel.Prompt(20, 512);
        int[] expected = await model.Generate(prompt, Seeded, cancellationToken: Stop).Take(100).ToArrayAsync(Stop);

        Task<int[]> steady = Task.Run(
            async () => await model.Generate(prompt, Seeded, cancellationToken: Stop).Take(100).ToArrayAsync(Stop),
            Stop
        );
        for (int i = 0; i < 20; i++)
        {
            using var source = new CancellationTokenSource();
            await foreach (int _ in model.Generate(LoadedModel.Prompt(50, 512, i), Seeded, cancellationToken: Stop))
                break;
            IAsyncEnumerable<int> other = model.Generate(
                LoadedModel.Prompt(150, 512, i),
                Seeded,
                cancellationToken: source.Token
            );
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            {
                await foreach (int _ in other)
                    await source.CancelAsync();
            });
        }

        Assert.Equal(expected, await steady);
        Assert.True(SpinWait.SpinUntil(() => model.Engine.Cache.Bytes == 0, TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public async Task A_cancelled_stream_yields_nothing_more()
    {
        await using GptOssModel model = await Load();
        using var source = new CancellationTokenSource();
        int after = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (int _ in model.Generate([1, 2, 3], Seeded, cancellationToken: source.Token))
            {
                if (source.IsCancellationRequested)
                    after++;
                await Task.Delay(20, Stop); // the model runs ahead
                await source.CancelAsync();
            }
        });
        Assert.Equal(0, after);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            First(model, [1], new CancellationToken(canceled: true))
        );
    }

    [Fact]
    [Trait("speed", "slow")]
    public async Task A_long_prompt_is_cancelled_while_it_is_read()
    {
        using var folder = new TemporaryFolder();
        TinyCheckpoint.Write(
            folder.Path,
            new TinyShape
            {
                NumHiddenLayers = 8,
                OriginalContext = 4096,
                RopeFactor = 2,
            },
            seed: 1
        );
        await using GptOssModel model = await GptOssModel.LoadAsync(
            folder.Path,
            new ModelOptions { Threads = 1 },
            null,
            Stop
        );
        using var source = new CancellationTokenSource();
        Task<int> first = First(model, LoadedModel.Prompt(8000, 512), source.Token);
        await Task.Delay(50, Stop);
        Assert.False(first.IsCompleted);

        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.WaitAsync(TimeSpan.FromSeconds(2), Stop));
        // The engine itself lets go too: keys and values are given back, and the next request is served.
        Assert.True(SpinWait.SpinUntil(() => model.Engine.Cache.Bytes == 0, TimeSpan.FromSeconds(5)));
        Assert.InRange(await First(model, [1]), 0, 511);
    }

    /// <summary>While prompts are read, tokens made and prefixes saved.</summary>
    [Fact]
    [Trait("speed", "slow"), Trait("kind", "long")]
    [Promise(17)]
    public async Task Disposing_at_any_moment_ends_every_generation_with_the_right_error()
    {
        int rounds = Long.IsLong ? 10_000 : 50;
        for (int round = 0; round < rounds; round++)
        {
            GptOssModel model = await Load(new ModelOptions { Threads = 2 });
            Task[] readers =
            [
                .. Enumerable
                    .Range(0, 3)
                    .Select(i =>
                        Task.Run(
                            async () =>
                            {
                                await foreach (
                                    int _ in model.Generate(
                                        LoadedModel.Prompt(120, 512, i),
                                        Seeded,
                                        cancellationToken: Stop
                                    )
                                ) { }
                                await First(model, [1]); // the model may have been quicker than the disposal
                                while (true)
                                    await First(model, [1]);
                            },
                            Stop
                        )
                    ),
                Task.Run(
                    async () =>
                    {
                        while (true)
                            await model.SavePrefixAsync([1, 2, 3], new MemoryStream(), null, Stop);
                    },
                    Stop
                ),
            ];
            await Task.Delay(round % 10, Stop);
            if (round % 2 == 0)
                model.Dispose();
            else
                await model.DisposeAsync();

            foreach (Task reader in readers)
                await Assert.ThrowsAsync<ObjectDisposedException>(() =>
                    reader.WaitAsync(TimeSpan.FromSeconds(5), Stop)
                );
            await Assert.ThrowsAsync<ObjectDisposedException>(() => First(model, [1]));
            model.Dispose();
        }
        if (!OperatingSystem.IsLinux())
            return;
        int handles = Directory
                .GetFileSystemEntries("/proc/self/fd")
                .Count(entry =>
                    new FileInfo(entry).LinkTarget?.StartsWith(_folder.Path, StringComparison.Ordinal) is true
                ),
            mappings = File.ReadLines("/proc/self/maps")
                .Count(line => line.Contains(_folder.Path, StringComparison.Ordinal));
        Figure.Tell($"{rounds:N0} disposals while busy: 0 crashes, {handles} handles and {mappings} mappings left");
        Assert.Equal((0, 0), (handles, mappings));
    }

    [Fact]
    [Promise(8)]
    public async Task A_file_that_was_changed_after_loading_is_noticed_by_the_next_request()
    {
        await using GptOssModel model = await Load();
        await First(model, [1]);
        string file = Directory.EnumerateFiles(_folder.Path, "*.safetensors").Single();
        File.SetLastWriteTimeUtc(file, new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        await First(model, [1]); // touched and not changed: the header is what it was
        using (FileStream stream = new(file, FileMode.Append, FileAccess.Write, FileShare.ReadWrite))
            stream.WriteByte(0);
        var refusal = await Assert.ThrowsAsync<CheckpointException>(() => First(model, [1]));
        Assert.Equal(file, refusal.FilePath);
    }

    [Fact]
    public async Task Progress_rises_to_one_and_a_cancelled_loading_ends_so()
    {
        var seen = new List<LoadProgress>();
        await using (GptOssModel model = await GptOssModel.LoadAsync(_folder.Path, null, new Recorder(seen), Stop))
            Assert.Equal(Path.GetFileName(_folder.Path), model.Name);
        Assert.Equal(1, seen[^1].Fraction);
        Assert.Equal(seen.Select(step => step.Fraction).Order(), seen.Select(step => step.Fraction));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            GptOssModel.LoadAsync(_folder.Path, null, null, new CancellationToken(canceled: true))
        );
    }

    [Fact]
    public async Task Without_a_tokenizer_ids_are_served_and_text_says_why_not()
    {
        await using GptOssModel model = await Load();
        Assert.InRange(await First(model, [1]), 0, 511);
        var refusal = Assert.Throws<CheckpointException>(() => model.Tokenizer);
        Assert.Contains("tokenizer", refusal.Message);
    }

    private Task<GptOssModel> Load(ModelOptions? options = null) =>
        GptOssModel.LoadAsync(_folder.Path, options ?? new ModelOptions { Threads = 1 }, null, Stop);

    private static async Task<int> First(GptOssModel model, IEnumerable<int> prompt, CancellationToken? stop = null) =>
        await model
            .Generate(prompt, SamplingOptions.Greedy, cancellationToken: stop ?? Stop)
            .FirstAsync(CancellationToken.None);

    private sealed class Recorder(List<LoadProgress> seen) : IProgress<LoadProgress>
    {
        public void Report(LoadProgress value) => seen.Add(value);
    }
}
