using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using GptOss.Generation;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Generation;

/// <summary>Alone, in a crowd, after a prefix was found and after a pause: the same bits.</summary>
[Trait("speed", "slow")] // without fused multiply-add in the processor these passes take minutes
public sealed class SchedulerTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("sf", 16)] // windows below a page
    [InlineData("sf", 128)] // the window of gpt-oss
    [InlineData("sfsf", 65)] // one position beyond a page
    [InlineData("ff", 128)] // one group, which lets nothing go
    [InlineData("ss", 128)] // one group, which lets go of every beginning
    public async Task An_answer_is_the_same_alone_in_a_crowd_after_a_hit_and_after_a_pause(string layers, int window)
    {
        var shape = new TinyShape
        {
            NumHiddenLayers = layers.Length,
            LayerTypes = layers,
            SlidingWindow = window,
        };
        using var model = LoadedModel.Random(shape, seed: 3);
        // Three join where all fit, and each of them then grows by several pages.
        GenerationRequest[] requests =
        [
            .. ManyRequests
                .Draw(7, seed: window, longest: 64, longestAnswer: 100)
                .Select(request => request with { MaxTokens = 150 + request.MaxTokens }),
        ];
        using var roomy = new SchedulerUnderTest(model, new ModelOptions());
        List<Answer> alone = [];
        foreach (GenerationRequest request in requests)
            alone.Add(await roomy.AskAlone(request));

        long budget = roomy.Engine.Cache.BytesFor(330, PassBudget.ChunkRows);
        int cached = 0;
        foreach ((GenerationRequest request, Answer answer) in requests.Zip(alone))
        {
            await roomy.Ask(request, Stop);
            Answer again = await roomy.Ask(request, Stop);
            Assert.Equal(("after a hit", answer), ("after a hit", again));
            cached += again.Cached;
        }
        Assert.True(cached > 0, "nothing was found again");

        int pauses = 0;
        for (int order = 0; order < 3; order++)
        {
            using var tight = new SchedulerUnderTest(
                model,
                new ModelOptions { KvCacheBytes = budget, Threads = 1 + order % 2 }
            );
            int[] places = [.. Enumerable.Range(0, requests.Length)];
            new Random(order).Shuffle(places);
            foreach (string wave in (string[])["nothing is known", "all was asked before"])
            {
                Task<Answer>[] asked = [.. places.Select(place => tight.Ask(requests[place], Stop))];
                Answer[] crowd = await Task.WhenAll(asked);
                for (int i = 0; i < places.Length; i++)
                    Assert.Equal((wave, alone[places[i]]), (wave, crowd[i]));
            }
            pauses += tight.Engine.Instruments.Now.Pauses;
            Assert.Equal(0, tight.Engine.Cache.Bytes);
        }
        Figure.Tell($"{pauses} pauses");
        // Prompts join only where there is room for them. Answers outgrow it, but not in sliding layers alone.
        Assert.True(pauses > 0 || !layers.Contains('f'), "nothing was paused");
    }

    [Fact]
    public async Task No_more_run_at_once_than_may_and_all_come_to_their_end()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using var tested = new SchedulerUnderTest(model, new ModelOptions { MaxRunning = 3 });
        int running = 0,
            most = 0;
        Answer[] answers = await Task.WhenAll(
            Enumerable
                .Range(0, 12)
                .Select(i =>
                {
                    bool hasBegun = false;
                    return tested.Ask(
                        new GenerationRequest
                        {
                            Prompt = LoadedModel.Prompt(20 + i, 512, i),
                            MaxTokens = 10,
                            PromptRead = _ =>
                            {
                                if (hasBegun)
                                    return;
                                hasBegun = true;
                                most = Math.Max(most, ++running);
                            },
                            Guide = new Listening(made => running -= made == 10 ? 1 : 0),
                        },
                        Stop
                    );
                })
        );
        Assert.All(answers, answer => Assert.Equal(10, answer.Ids.Length));
        Assert.Equal((0, 3), (running, most));
    }

    [Fact]
    public async Task A_forgotten_stream_is_collected_and_gives_its_pages_back()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using var tested = new SchedulerUnderTest(model, new ModelOptions { MaxRunning = 1 });
        Forget(tested);
        await SchedulerUnderTest.Until(() => tested.Engine.Cache.Bytes > 0);
        await SchedulerUnderTest.Until(() =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return tested.Engine.Cache.Bytes == 0;
        });
        Assert.Equal(5, (await tested.Ask(new GenerationRequest { Prompt = [1], MaxTokens = 5 }, Stop)).Ids.Length);

        [MethodImpl(MethodImplOptions.NoInlining)]
        static void Forget(SchedulerUnderTest tested) =>
            tested.Submit(new GenerationRequest { Prompt = [1, 2, 3], MaxTokens = 500 });
    }

    [Fact]
    public async Task Nobody_s_context_is_seen_by_the_code_of_another_request()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        var local = new AsyncLocal<string> { Value = "who loaded the model" };
        using var tested = new SchedulerUnderTest(model, new ModelOptions());
        var seen = new ConcurrentBag<string?>();
        for (int i = 0; i < 3; i++)
        {
            local.Value = $"request {i}";
            await tested.Ask(
                new GenerationRequest
                {
                    Prompt = [1, 2, 3],
                    MaxTokens = 2,
                    PromptRead = _ => seen.Add(local.Value),
                    Guide = new Listening(_ => seen.Add(local.Value)),
                },
                Stop
            );
        }
        Assert.True(seen.Count >= 12);
        Assert.All(seen, Assert.Null);
    }

    [Fact]
    public async Task What_a_caller_s_code_leaves_in_the_context_of_the_loop_is_gone_when_it_returns()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        var local = new AsyncLocal<string>();
        using var tested = new SchedulerUnderTest(model, new ModelOptions());
        var seen = new ConcurrentBag<string?>();
        await Task.WhenAll(
            Enumerable
                .Range(0, 4)
                .Select(i =>
                    tested.Ask(
                        new GenerationRequest
                        {
                            Prompt = LoadedModel.Prompt(20, 512, i),
                            MaxTokens = 10,
                            PromptRead = _ => Leave($"the progress of {i}"),
                            Guide = new Listening(_ => Leave($"the guide of {i}")),
                        },
                        Stop
                    )
                )
        );
        Assert.True(seen.Count >= 4 * 11);
        Assert.All(seen, Assert.Null);

        void Leave(string what)
        {
            seen.Add(local.Value ?? Activity.Current?.OperationName);
            local.Value = what;
            Activity.Current = new Activity(what).Start();
        }
    }

    [Fact]
    public void A_model_that_nobody_disposed_is_collected_with_its_thread()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        (WeakReference forgotten, Thread thread) = UseAndForget(model.Folder);
        for (int i = 0; i < 50 && !thread.Join(20); i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        Assert.False(thread.IsAlive, "the thread lives");
        Assert.False(forgotten.IsAlive, "the engine lives");

        [MethodImpl(MethodImplOptions.NoInlining)]
        static (WeakReference, Thread) UseAndForget(string folder)
        {
            GptOssModel used = GptOssModel.LoadAsync(folder, new ModelOptions { Threads = 1 }).GetAwaiter().GetResult();
            Thread? thread = null;
            var request = new GenerationRequest
            {
                Prompt = [1, 2, 3],
                MaxTokens = 3,
                PromptRead = _ => thread = Thread.CurrentThread,
            };
            using (ITokenStream stream = used.Source.Submit(request, default))
                Answer.Of(stream).GetAwaiter().GetResult();
            return (new WeakReference(used.Engine), thread!);
        }
    }
}
