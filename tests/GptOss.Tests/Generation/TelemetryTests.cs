// Over 300 lines: the tests share the listener and must run alone, which holds for a class.
using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using GptOss.Generation;
using GptOss.Model;
using GptOss.Tests.Chat;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;
using Microsoft.Extensions.AI;

namespace GptOss.Tests.Generation;

/// <summary>Runs while no other test does: the figures are those of all models of the process.</summary>
[CollectionDefinition(nameof(TelemetryTests), DisableParallelization = true)]
public sealed class TelemetryTestsAlone;

[Collection(nameof(TelemetryTests))]
public sealed class TelemetryTests : IDisposable
{
    /// <summary>The instruments that are read on demand, and the states of pages, which are tags of one.</summary>
    private static readonly string[] Observed =
    [
        "gptoss.kv.bytes",
        "gptoss.kv.pages",
        "gptoss.queue.length",
        "gptoss.requests.active",
        "gptoss.requests.paused",
        "gptoss.requests.running",
        "cached",
        "free",
        "used",
    ];

    private readonly ConcurrentDictionary<string, double> _sums = new();
    private readonly MeterListener _listener = new()
    {
        InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == "GptOss")
                self.EnableMeasurementEvents(instrument);
        },
    };

    public TelemetryTests()
    {
        _listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => Count(instrument.Name, value));
        _listener.SetMeasurementEventCallback<long>(
            (instrument, value, tags, _) =>
            {
                Count(instrument.Name, value);
                foreach (KeyValuePair<string, object?> tag in tags)
                    Count($"{tag.Value}", value);
            }
        );
        _listener.SetMeasurementEventCallback<int>((instrument, value, _, _) => Count(instrument.Name, value));
        _listener.Start();
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _listener.Dispose();

    [Fact]
    public async Task A_request_leaves_its_figures()
    {
        using GptOssChatClient client = await GptOssChatClient.LoadAsync(
            TinyGptOss.Folder,
            cancellationToken: Cancellation
        );
        ChatOptions greedy = ChatScript.Options();
        greedy.Temperature = 0;
        ChatResponse response = await client.GetResponseAsync("Hello!", greedy, Cancellation);

        string[] expected =
        [
            "gptoss.constraint.compile",
            "gptoss.constraint.mask",
            "gptoss.decode.speed",
            "gptoss.prefill.speed",
            "gptoss.prompt.cached",
            "gptoss.prompt.hit_ratio",
            "gptoss.prompt.tokens",
            "gptoss.queue.time",
            "gptoss.requests",
            "gptoss.time_to_first_token",
            "gptoss.tokens.forced",
            "Stop",
            .. Observed,
        ];
        // The client stops reading at the answer's end, not at the stream's, and the figures come one after the other.
        SpinWait.SpinUntil(() => Now().ContainsKey("gptoss.decode.speed"), TimeSpan.FromSeconds(20));
        Assert.Equal(expected.Order(), Now().Keys.Order());
        Assert.Equal((double)response.Usage!.InputTokenCount!, _sums["gptoss.prompt.tokens"]);
        Assert.Equal((double)response.Usage.CachedInputTokenCount!, _sums["gptoss.prompt.cached"]);
        Assert.True(_sums["gptoss.prefill.speed"] > 0);
        Assert.True(_sums["gptoss.decode.speed"] > 0);
        Assert.True(_sums["gptoss.time_to_first_token"] >= _sums["gptoss.queue.time"]);
        Assert.Equal(
            _sums["gptoss.prompt.cached"] / _sums["gptoss.prompt.tokens"],
            _sums["gptoss.prompt.hit_ratio"],
            tolerance: 1e-9
        );
    }

    [Fact]
    public void Pages_are_told_by_their_state()
    {
        (double used, double cached, double free) = (Pages("used"), Pages("cached"), Pages("free")); // of other models
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        PagePool pool = model.Engine.Cache.Pool;
        double page = model.Engine.Cache.PageBytes / 2.0; // both groups have as many layers
        GenerationRequest prompted = Endless with { Prompt = LoadedModel.Prompt(100, 512) };
        ITokenStream halted = model.Model.Source.Submit(prompted, Cancellation); // nobody reads, so it comes to a halt
        Until(() => Now().ContainsKey("gptoss.time_to_first_token"), "first token");
        Until(() => pool.HeldBytes > 0 && Pages("used") == used + pool.HeldBytes / page, "used page");
        Until(() => Pages("free") == free + Math.Floor(pool.FreeBytes / page), "right number of free pages");

        halted.Dispose();
        Await("gptoss.requests.active", 0);
        Assert.Equal(used, Pages("used"));
        Assert.True(pool.RentedBytes > 0, "no prefix was kept");
        Assert.Equal(cached + pool.RentedBytes / page, Pages("cached"));

        double Pages(string state) => Now().GetValueOrDefault(state);
    }

    [Fact]
    public void A_request_that_gave_its_pages_up_is_told_as_paused()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using var tested = new SchedulerUnderTest(model, new ModelOptions { MaxRunning = 1 });
        ITokenStream halted = tested.Submit(Endless, Cancellation); // nobody reads, so it comes to a halt
        Await("gptoss.queue.length", 0);
        using var asked = new ManualResetEventSlim();
        using var leave = new ManualResetEventSlim();
        try
        {
            GenerationRequest next = Endless with { PromptRead = _ => Hold() };
            ITokenStream running = tested.Submit(next, Cancellation);
            Assert.True(asked.Wait(TimeSpan.FromSeconds(20), Cancellation), "the halted one kept its place");
            ITokenStream waiting = tested.Submit(Endless, Cancellation);
            Assert.Equal((3, 1), (Now()["gptoss.requests.active"], _sums["gptoss.requests.running"]));
            Assert.Equal((1, 1), (_sums["gptoss.requests.paused"], _sums["gptoss.queue.length"]));

            leave.Set();
            foreach (ITokenStream stream in (ITokenStream[])[waiting, running, halted])
                stream.Dispose();
            Await("gptoss.requests.active", 0);
            Assert.Equal((0, 0), (Now()["gptoss.requests.running"], _sums["gptoss.requests.paused"]));
        }
        finally
        {
            leave.Set();
        }

        void Hold()
        {
            asked.Set();
            leave.Wait(Cancellation);
        }
    }

    [Fact]
    public void Who_waits_who_is_worked_on_and_what_they_hold_is_told_as_it_is_now()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers(); // keys and values that another test left to them
        double held = Now()["gptoss.kv.bytes"];
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using var entered = new ManualResetEventSlim();
        using var leave = new ManualResetEventSlim();
        var occupied = Task.Run(() => Occupy(model.Engine, entered, leave), Cancellation);
        entered.Wait(Cancellation);
        using var leaving = new Leaving(leave); // else a failure would wait for the engine for ever

        ModelTokenSource source = model.Model.Source;
        ITokenStream first = source.Submit(Endless, Cancellation);
        Await("gptoss.queue.length", 0); // the loop has begun with it
        Thread.Sleep(200); // and now waits for the engine: before, it would have taken the others too
        ITokenStream[] all = [first, source.Submit(Endless, Cancellation), source.Submit(Endless, Cancellation)];
        Assert.Equal((2, 3), (Now()["gptoss.queue.length"], _sums["gptoss.requests.active"]));
        Assert.Equal((1, 0), (_sums["gptoss.requests.running"], _sums["gptoss.requests.paused"]));

        leave.Set();
        Await("gptoss.queue.length", 0);
        // Nobody reads, so that they come to a halt, and the figure with them.
        Assert.True(
            SpinWait.SpinUntil(
                () => model.Engine.Cache.Bytes > 0 && Now()["gptoss.kv.bytes"] == held + model.Engine.Cache.Bytes,
                TimeSpan.FromSeconds(20)
            )
        );
        Assert.Equal(3, _sums["gptoss.requests.active"]);

        foreach (ITokenStream stream in all)
            stream.Dispose();
        Await("gptoss.requests.active", 0);
        Await("gptoss.kv.bytes", held); // a request ends, and then gives its pages back
    }

    [Fact]
    public void Disposing_a_model_gives_back_what_its_requests_held()
    {
        double held = Now()["gptoss.kv.bytes"];
        using (var model = LoadedModel.Random(new TinyShape(), seed: 1))
        {
            model.Model.Source.Submit(Endless, Cancellation);
            Assert.True(SpinWait.SpinUntil(() => Now()["gptoss.kv.bytes"] > held, TimeSpan.FromSeconds(20)));
        }
        Assert.Equal(
            (held, 0, 0),
            (Now()["gptoss.kv.bytes"], _sums["gptoss.requests.active"], _sums["gptoss.queue.length"])
        );
    }

    [Fact]
    public void A_prompt_s_tokens_that_were_computed_before_are_counted_as_such()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using KvSequence kv = model.Engine.Cache.NewSequence();
        using var sequence = new Sequence(Endless, kv, model.Engine.Instruments, () => { }, default, Cancellation);
        model.Engine.Next(kv, [1, 2], SamplingOptions.Greedy, 1, Cancellation);
        sequence.Begin();
        model.Engine.Next(kv, [3], SamplingOptions.Greedy, 1, Cancellation);
        sequence.Begin();
        sequence.Release();

        Assert.Equal(2, sequence.CachedTokens);
        Assert.Equal((3, 2), (_sums["gptoss.prompt.tokens"], _sums["gptoss.prompt.cached"]));
    }

    [Theory]
    [InlineData("gptoss.queue.time")] // recorded before the first step
    [InlineData("gptoss.requests")] // after the last
    public async Task A_listener_that_throws_ends_its_request_and_no_other(string figure)
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using ITokenStream other = model.Model.Source.Submit(Endless with { MaxTokens = 200 }, Cancellation);
        await using IAsyncEnumerator<GeneratedToken> tokens = other
            .ReadAsync(Cancellation)
            .GetAsyncEnumerator(Cancellation);
        Assert.True(await tokens.MoveNextAsync()); // it has begun and told all its figures, and waits for its reader
        using (var faulty = new MeterListener())
        {
            faulty.InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == "GptOss" && instrument.Name == figure)
                    self.EnableMeasurementEvents(instrument);
            };
            faulty.SetMeasurementEventCallback<double>(
                (_, _, _, _) => throw new InvalidOperationException("the listener's own")
            );
            faulty.SetMeasurementEventCallback<long>(
                (_, _, _, _) => throw new InvalidOperationException("the listener's own")
            );
            faulty.Start();
            var error = await Assert.ThrowsAsync<InvalidOperationException>(Answer);
            Assert.Equal("the listener's own", error.Message);
            Assert.Equal((1, 0), (Now()["gptoss.requests.active"], _sums["gptoss.queue.length"]));
        }
        int read = 1;
        while (await tokens.MoveNextAsync())
            read++;
        Assert.Equal(200, read);
        Assert.Equal(0, model.Engine.Cache.Bytes);
        Assert.Equal(5, await Answer());

        async Task<int> Answer()
        {
            using ITokenStream answer = model.Model.Source.Submit(Endless with { MaxTokens = 5 }, Cancellation);
            return await answer.ReadAsync(Cancellation).CountAsync(Cancellation);
        }
    }

    [Fact]
    public async Task What_a_listener_leaves_in_the_context_of_the_loop_is_gone_when_it_returns()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        string[] figures = ["gptoss.queue.time", "gptoss.time_to_first_token", "gptoss.decode.speed"];
        var local = new AsyncLocal<string>();
        var seen = new ConcurrentBag<string?>();
        using var leaving = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == "GptOss" && figures.Contains(instrument.Name))
                    self.EnableMeasurementEvents(instrument);
            },
        };
        leaving.SetMeasurementEventCallback<double>((figure, _, _, _) => Leave(figure.Name));
        leaving.Start();
        for (int i = 0; i < 2; i++)
        {
            using ITokenStream answer = model.Model.Source.Submit(
                Endless with
                {
                    MaxTokens = 5,
                    PromptRead = _ => Leave("the progress"),
                },
                Cancellation
            );
            Assert.Equal(5, await answer.ReadAsync(Cancellation).CountAsync(Cancellation));
        }
        Assert.True(seen.Count >= 2 * (figures.Length + 1));
        Assert.All(seen, Assert.Null);

        void Leave(string what)
        {
            seen.Add(local.Value);
            local.Value = what;
        }
    }

    [Theory]
    [InlineData("gptoss.queue.time")]
    [InlineData("gptoss.requests")]
    public async Task A_listener_may_dispose_the_model(string figure)
    {
        var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using var closing = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == "GptOss" && instrument.Name == figure)
                    self.EnableMeasurementEvents(instrument);
            },
        };
        closing.SetMeasurementEventCallback<double>((_, _, _, _) => model.Model.Dispose());
        closing.SetMeasurementEventCallback<long>((_, _, _, _) => model.Model.Dispose());
        closing.Start();
        using ITokenStream answer = model.Model.Source.Submit(Endless with { MaxTokens = 3 }, Cancellation);

        ValueTask<int> reading = answer.ReadAsync(Cancellation).CountAsync(Cancellation);
        try
        {
            await reading.AsTask().WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
        }
        catch (ObjectDisposedException)
        {
            Assert.Equal("gptoss.queue.time", figure); // before its first token
        }
        await Task.Run(model.Dispose, Cancellation).WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
    }

    [Fact]
    public void An_enumerator_that_nobody_disposes_loses_its_keys_and_values()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        Forget(model.Model);
        for (int turn = 0; turn < 200 && model.Engine.Cache.Bytes > 0; turn++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Thread.Sleep(10);
        }
        Assert.Equal(0, model.Engine.Cache.Bytes);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Forget(GptOssModel model)
    {
        IAsyncEnumerator<int> answer = model
            .Generate([1, 2, 3], SamplingOptions.Greedy, cancellationToken: Cancellation)
            .GetAsyncEnumerator(Cancellation);
        Assert.True(answer.MoveNextAsync().AsTask().GetAwaiter().GetResult());
        Assert.True(model.Engine.Cache.Bytes > 0);
    }

    [Fact]
    public async Task A_request_is_counted_by_how_it_ended()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        ModelTokenSource source = model.Model.Source;
        using var cancelled = new CancellationTokenSource();
        using (ITokenStream first = source.Submit(Endless, cancelled.Token))
        {
            await cancelled.CancelAsync();
            Await("Cancelled", 1);
        }
        using (source.Submit(Endless, Cancellation)) { }
        Await("Left", 1);
        using (ITokenStream limited = source.Submit(Endless with { MaxTokens = 1 }, Cancellation))
            Await("MaxTokens", 1);
        ITokenStream failing = source.Submit(Endless with { Guide = new Faulty() }, Cancellation);
        Await("Failed", 1);
        failing.Dispose();
        Assert.False(_sums.ContainsKey("None"));
    }

    [Fact]
    public async Task OpenTelemetry_is_told_of_no_server()
    {
        using GptOssChatClient client = await GptOssChatClient.LoadAsync(
            TinyGptOss.Folder,
            cancellationToken: Cancellation
        );
        Assert.Null(client.GetService<ChatClientMetadata>()!.ProviderUri);
        // Its place is a file
        var source = new TokenScript(ChatScript.Greeting).Source with { Place = new Uri("file:///scripted") };
        using var scripted = new GptOssChatClient(source, model: null, ownsModel: false, loggerFactory: null);
        Assert.Null(scripted.GetService<ChatClientMetadata>()!.ProviderUri);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)] // forgotten
    public void A_plug_in_that_ran_a_model_can_be_unloaded(bool disposes)
    {
        WeakReference plugIn = RunInPlugIn(disposes);
        for (int turn = 0; turn < 200 && plugIn.IsAlive; turn++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Thread.Sleep(10);
        }
        Assert.False(plugIn.IsAlive);
    }

    /// <summary>Loads the library once more, runs it by reflection, and gives up all of it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference RunInPlugIn(bool disposes)
    {
        var context = new AssemblyLoadContext("plug-in", isCollectible: true);
        Assembly library = context.LoadFromAssemblyPath(typeof(GptOssModel).Assembly.Location);
        Type client = library.GetType(typeof(GptOssChatClient).FullName!)!;
        object?[] arguments =
        [
            .. client
                .GetMethod("LoadAsync")!
                .GetParameters()
                .Select<ParameterInfo, object?>(parameter =>
                    parameter.Position == 0 ? TinyGptOss.Folder
                    : parameter.ParameterType == typeof(CancellationToken) ? Cancellation
                    : null
                ),
        ];
        var loading = (Task)client.GetMethod("LoadAsync")!.Invoke(null, arguments)!;
        loading.Wait(Cancellation);
        var chat = (IChatClient)loading.GetType().GetProperty("Result")!.GetValue(loading)!;
        Assert.NotSame(typeof(GptOssChatClient), chat.GetType());
        Assert.NotEmpty(
            chat.GetResponseAsync("Hello!", ChatScript.Options(), Cancellation).GetAwaiter().GetResult().Text
        );
        if (disposes)
            chat.Dispose();
        context.Unload();
        return new WeakReference(context);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // the next tokens are dictated: the loop does not ask the engine
    public async Task A_reader_that_is_behind_when_the_model_is_disposed_is_told(bool guided)
    {
        var model = LoadedModel.Random(new TinyShape(), seed: 1);
        GenerationRequest request = Endless with { MaxTokens = 500, Guide = guided ? new Dictation() : null };
        using ITokenStream answer = model.Model.Source.Submit(request, Cancellation);
        await using IAsyncEnumerator<GeneratedToken> reader = answer
            .ReadAsync(Cancellation)
            .GetAsyncEnumerator(Cancellation);
        Assert.True(await reader.MoveNextAsync());
        await Task.Delay(300, Cancellation); // the stream is full by now
        model.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(async () =>
        {
            while (await reader.MoveNextAsync()) { }
        });
    }

    private sealed class Faulty : ITokenGuide
    {
        public string Name => "a faulty guide";

        public Guidance Begin() => new();

        public Guidance After(int token) => throw new InvalidOperationException("a guide's own");

        public int CountAllowed(ReadOnlySpan<int> guess) => guess.Length;
    }

    private sealed class Dictation : ITokenGuide
    {
        public string Name => "a dictation";

        public Guidance Begin() => new();

        public Guidance After(int token) => new() { Dictated = [1] };

        public int CountAllowed(ReadOnlySpan<int> guess) => 0;
    }

    private static GenerationRequest Endless => new() { Prompt = [1, 2, 3] };

    /// <summary>Keeps the engine at a pass of its own until it may leave.</summary>
    private static void Occupy(
        GptOss.Generation.Engine engine,
        ManualResetEventSlim entered,
        ManualResetEventSlim leave
    )
    {
        using KvSequence sequence = engine.Cache.NewSequence();
        engine.Forward(
            batch => batch.Add(sequence, [1], Wanted.Last),
            _ =>
            {
                entered.Set();
                leave.Wait(Cancellation);
            },
            Cancellation
        );
    }

    private sealed class Leaving(ManualResetEventSlim leave) : IDisposable
    {
        public void Dispose() => leave.Set();
    }

    private void Count(string name, double value) => _sums.AddOrUpdate(name, value, (_, sum) => sum + value);

    /// <summary>All figures, those that are read on demand at their value of now.</summary>
    private ConcurrentDictionary<string, double> Now()
    {
        foreach (string name in Observed)
            _sums[name] = 0; // the meter of a model that is gone says nothing
        _listener.RecordObservableInstruments();
        return _sums;
    }

    private void Await(string name, double value) =>
        Until(() => Now().GetValueOrDefault(name) == value, $"{name} at {value}");

    private static void Until(Func<bool> holds, string what) =>
        Assert.True(SpinWait.SpinUntil(holds, TimeSpan.FromSeconds(20)), $"there is no {what}");
}
