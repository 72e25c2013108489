// Longer, because every step of a request fails once, and each time the others' answers are looked at.
using System.Collections;
using System.Diagnostics.Metrics;
using GptOss.Generation;
using GptOss.Model;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;
using Microsoft.Extensions.AI;

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
    [Promise(19)]
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
        Figure.Tell($"50 allocation faults, {times} in a row: {failures} typed errors, 0 crashes, 0 others harmed");
        Assert.InRange(failures, fewest, most);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 7)] // the rows are shared out, so that more than one choice is under way
    public async Task The_nth_choice_that_fails_ends_its_own_request_with_an_error_of_a_known_type(
        int threads,
        int step
    )
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        var options = new ModelOptions { Threads = threads };
        using var sizes = new SchedulerUnderTest(model, options);
        GenerationRequest[] requests =
        [
            .. ManyRequests
                .Draw(4, seed: 5, longest: 40)
                .Select((request, i) => request with { MaxTokens = 14, PromptLookup = i == 1, Priority = 0 }),
        ];
        Answer[] right = await Task.WhenAll(requests.Select(sizes.AskAlone));
        for (int n = 1; n <= 50; n += step)
        {
            using var tested = new SchedulerUnderTest(model, options);
            Exception fault = n % 2 == 0 ? new InsufficientMemoryException() : new ArithmeticException("not now");
            int choices = 0;
            tested.Engine.Samplers.Choosing = () =>
            {
                if (Interlocked.Increment(ref choices) == n)
                    throw fault;
            };
            Task<Answer>[] asked = [.. requests.Select(request => tested.Ask(request, Stop))];
            List<Exception> errors = [];
            for (int i = 0; i < asked.Length; i++)
                if (await Record.ExceptionAsync(() => asked[i]) is { } error)
                    errors.Add(error);
                else
                    Assert.Equal(right[i], await asked[i]);
            Exception only = Assert.Single(errors);
            Assert.Same(fault, n % 2 == 0 ? only : Assert.IsType<EngineFaultException>(only).InnerException);
            Assert.Equal(right[n % 4], await tested.Ask(requests[n % 4], Stop));
            Assert.Equal(0, tested.Pool.HeldBytes);
        }
    }

    /// <summary>
    /// Three answers end in the pass in which the fourth fails. They are taken in before it, and must not go on.
    /// </summary>
    [Fact]
    public async Task A_token_that_cannot_be_taken_in_ends_its_own_request_and_lengthens_no_other()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using var tested = new SchedulerUnderTest(model, new ModelOptions());
        using var isHeld = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        using var letGo = new LetGo(goOn.Set);
        var holding = new GenerationRequest
        {
            Prompt = [1],
            MaxTokens = 1,
            PromptRead = _ =>
            {
                isHeld.Set();
                goOn.Wait(Stop);
            },
        };
        GenerationRequest[] requests =
        [
            .. ManyRequests.Draw(4, seed: 7, longest: 10).Select(r => r with { MaxTokens = 5, Priority = 0 }),
        ];
        Task<Answer> held = tested.Ask(holding, Stop);
        isHeld.Wait(Stop);
        Task<Answer>[] asked =
        [
            .. requests.Select((r, i) => tested.Ask(i == 0 ? r with { Script = new BrokenScript(4) } : r, Stop)),
        ];
        goOn.Set();
        await held;
        Assert.Equal(
            "script",
            (await Assert.ThrowsAsync<EngineFaultException>(() => asked[0])).InnerException!.Message
        );
        for (int i = 1; i < asked.Length; i++)
            Assert.Equal(await tested.AskAlone(requests[i]), await asked[i]);
        Assert.Equal(0, tested.Pool.HeldBytes);
    }

    /// <summary>Whoever asks a chat client gets the same error, and the next answer.</summary>
    [Fact]
    public async Task A_chat_client_throws_what_ended_its_request_and_answers_the_next_one()
    {
        using GptOssModel model = await GptOssModel.LoadAsync(TinyGptOss.Folder, cancellationToken: Stop);
        using GptOssChatClient client = model.AsChatClient();
        var options = new ChatOptions { MaxOutputTokens = 12, Temperature = 0 };
        string right = Text(await client.GetResponseAsync("What is 3 + 4?", options, Stop));
        int left = 3;
        model.Engine.Samplers.Choosing = () =>
        {
            if (--left == 0)
                throw new ArithmeticException("not now");
        };
        var fault = await Assert.ThrowsAsync<EngineFaultException>(() =>
            client.GetResponseAsync("What is 3 + 4?", options, Stop)
        );
        Assert.Contains("ArithmeticException: not now", fault.Message, StringComparison.Ordinal);
        Assert.Equal(right, Text(await client.GetResponseAsync("What is 3 + 4?", options, Stop)));

        static string Text(ChatResponse response) =>
            string.Concat(response.Messages.SelectMany(message => message.Contents).Select(content => $"{content}"));
    }

    /// <summary>Memory that throws what no memory throws stands for any defect of the loop itself.</summary>
    [Fact]
    public async Task What_escapes_a_pass_ends_all_requests_with_an_error_of_a_known_type_and_the_next_one_works()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using var tested = new SchedulerUnderTest(model, new ModelOptions { MaxRunning = 3 });
        GenerationRequest[] requests = ManyRequests.Draw(5, seed: 6, longest: 100);
        using var isHeld = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        using var letGo = new LetGo(goOn.Set);
        requests[0] = requests[0] with
        {
            PromptRead = _ =>
            {
                isHeld.Set();
                goOn.Wait(Stop);
            },
        };
        tested.Pool.Memory = new BrokenMemory();
        Task<Answer>[] asked = [.. requests.Select(request => tested.Ask(request, Stop))];
        isHeld.Wait(Stop);
        goOn.Set();
        foreach (Task<Answer> task in asked)
            Assert.IsType<ArithmeticException>(
                (await Assert.ThrowsAsync<EngineFaultException>(() => task)).InnerException
            );
        tested.Pool.Memory = PageMemory.OfSystem;
        using var sizes = new SchedulerUnderTest(model, new ModelOptions());
        Assert.Equal(await sizes.AskAlone(requests[1]), await tested.Ask(requests[1], Stop));
        Assert.Equal((0L, 0), (tested.Pool.HeldBytes, tested.Engine.Instruments.Now.Active));
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

    /// <summary>Tokens in the place of the chosen ones, of which one cannot be had.</summary>
    private sealed class BrokenScript(int brokenAt) : IReadOnlyList<int>
    {
        public int Count => brokenAt + 1;

        public int this[int index] => index < brokenAt ? index : throw new ArithmeticException("script");

        public IEnumerator<int> GetEnumerator() => throw new NotSupportedException();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }

    private sealed class BrokenMemory : PageMemory
    {
        public override nint Allocate(long bytes) => throw new ArithmeticException("not a matter of memory");
    }
}
