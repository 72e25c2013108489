using System.Buffers.Binary;
using System.Diagnostics.Metrics;
using GptOss.Generation;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Generation;

/// <summary>What goes wrong in one request ends that request and no other.</summary>
[Trait("speed", "slow")] // without fused multiply-add in the processor these passes take minutes
public sealed class FaultTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_guide_or_a_progress_that_throws_ends_its_own_request(bool isGuide)
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using var tested = new SchedulerUnderTest(model, new ModelOptions());
        GenerationRequest[] requests = ManyRequests.Draw(6, seed: 1, longest: 200);
        GenerationRequest bad = isGuide
            ? requests[2] with
            {
                MaxTokens = 9,
                Guide = new Listening(made => Throw(made == 5)),
            }
            : requests[2] with
            {
                PromptRead = read => Throw(read.Processed > 0),
            };
        Task<Answer>[] asked = [.. requests.Select((request, i) => tested.Ask(i == 2 ? bad : request, Stop))];

        for (int i = 0; i < requests.Length; i++)
            if (i == 2)
                Assert.Equal("not now", (await Assert.ThrowsAsync<ArithmeticException>(() => asked[2])).Message);
            else
                Assert.Equal(await tested.AskAlone(requests[i]), await asked[i]);
        Assert.Equal(0, tested.Engine.Cache.Bytes);

        static void Throw(bool isTime)
        {
            if (isTime)
                throw new ArithmeticException("not now");
        }
    }

    /// <summary>
    /// Pages are rented when a request joins, which copies a page that two share in part, and before each pass.
    /// </summary>
    [Theory]
    [InlineData(1, 0, 0)] // what was kept is given back, and then there is memory
    [InlineData(2, 5, 50)]
    public async Task An_allocation_that_fails_ends_at_most_one_request_and_the_next_one_works(
        int times,
        int fewest,
        int most
    )
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using var sizes = new SchedulerUnderTest(model, new ModelOptions());
        GenerationRequest[] requests = ManyRequests.Draw(4, seed: 2, longest: 300);
        GenerationRequest first = new() { Prompt = [.. requests[0].Prompt.Take(100)], MaxTokens = 3 };
        requests =
        [
            .. requests.Select((r, i) => i < 2 ? r with { Prompt = [.. first.Prompt.Take(90), i, .. r.Prompt] } : r),
        ];
        Answer[] right = await Task.WhenAll(requests.Select(sizes.AskAlone));
        int failures = 0;
        for (int n = 0; n < 50; n++)
        {
            using var tested = new SchedulerUnderTest(model, new ModelOptions());
            await tested.Ask(first, Stop);
            tested.Pool.Memory = new CountingMemory { FailsAfter = n, FailsTimes = times };
            Task<Answer>[] asked = [.. requests.Select(request => tested.Ask(request, Stop))];
            int failed = 0;
            for (int i = 0; i < asked.Length; i++)
                if (await Record.ExceptionAsync(() => asked[i]) is { } error)
                {
                    Assert.IsAssignableFrom<OutOfMemoryException>(error);
                    failed++;
                }
                else
                    Assert.Equal(right[i], await asked[i]);
            Assert.InRange(failed, 0, 1);
            failures += failed;
            Assert.Equal(right[3], await tested.Ask(requests[3], Stop));
            Assert.Equal(0, tested.Pool.HeldBytes);
        }
        Assert.InRange(failures, fewest, most);
    }

    [Fact]
    public async Task A_value_that_is_not_a_number_ends_who_meets_it_and_is_searched_once()
    {
        var shape = new TinyShape { VocabSize = 512 };
        using var model = LoadedModel.Written(folder =>
        {
            Dictionary<string, TinyTensor> tensors = WeightBinderTests.Tensors(shape);
            TinyTensor sound = tensors["model.embed_tokens.weight"];
            byte[] data = [.. sound.Data];
            BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(2 * 60 * shape.HiddenSize), 0x7FC0);
            tensors["model.embed_tokens.weight"] = sound with { Data = data };
            WeightBinderTests.Write(folder, shape, tensors);
        });
        using var tested = new SchedulerUnderTest(model, new ModelOptions());
        // Token 60 is the damaged one; no answer may use it either.
        GenerationRequest[] requests =
        [
            .. Enumerable
                .Range(0, 4)
                .Select(i => new GenerationRequest
                {
                    Prompt = [.. LoadedModel.Prompt(80, 59, i), i % 2 == 1 ? 60 : 61],
                    MaxTokens = 20,
                    LogProbabilities = 1,
                    Sampling = new SamplingOptions
                    {
                        Temperature = 0,
                        LogitBias = new Dictionary<int, float> { [60] = float.NegativeInfinity },
                    },
                }),
        ];
        Task<Answer>[] asked = [.. requests.Select(request => tested.Ask(request, Stop))];
        for (int i = 0; i < 4; i++)
            if (i % 2 == 1)
                Assert.Equal(
                    "model.embed_tokens.weight",
                    (await Assert.ThrowsAsync<NumericFaultException>(() => asked[i])).TensorName
                );
            else
                Assert.Equal(await tested.AskAlone(requests[i]), await asked[i]);
        Assert.Equal(1, tested.Searches);
        Assert.Equal(0, tested.Pool.HeldBytes);
    }

    [Theory]
    [InlineData(true)] // while the prompt is read
    [InlineData(false)] // when one of the others ends
    public async Task A_progress_or_a_listener_may_dispose_the_model_and_all_streams_end(bool isProgress)
    {
        using var random = LoadedModel.Random(new TinyShape(), seed: 1);
        for (int round = 0; round < 5; round++)
        {
            GptOssModel model = await GptOssModel.LoadAsync(
                random.Folder,
                new ModelOptions { Threads = 1 },
                null,
                Stop
            );
            using var listener = new MeterListener();
            if (!isProgress)
                listener.EnableMeasurementEvents(model.Engine.Instruments.Requests);
            listener.SetMeasurementEventCallback<long>((_, _, _, _) => model.Dispose());
            listener.Start();
            Task<Answer>[] asked =
            [
                .. Enumerable
                    .Range(0, 5)
                    .Select(async i =>
                    {
                        using ITokenStream stream = model.Source.Submit(
                            new GenerationRequest
                            {
                                Prompt = LoadedModel.Prompt(70, 512, i),
                                MaxTokens = i == 0 ? 100 : 4,
                                PromptRead = i == 0 && isProgress ? read => DisposeAt(read.Processed > 0) : null,
                            },
                            Stop
                        );
                        return await Answer.Of(stream, Stop);
                    }),
            ];
            foreach (Task<Answer> task in asked)
                if (await Record.ExceptionAsync(() => task.WaitAsync(TimeSpan.FromSeconds(10), Stop)) is { } error)
                    Assert.IsType<ObjectDisposedException>(error);
            Assert.Equal(0, model.Engine.Cache.Pool.CommittedBytes);
            Assert.Throws<ObjectDisposedException>(() => model.Source.Submit(new() { Prompt = [1] }, Stop));

            void DisposeAt(bool isTime)
            {
                if (isTime)
                    model.Dispose();
            }
        }
    }
}
