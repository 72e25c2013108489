using GptOss.Generation;
using GptOss.Model;
using GptOss.Tests.Model;

namespace GptOss.Tests.Generation;

/// <summary>
/// An engine and a scheduler of their own over the weights of a random model, so that a test can make many of them
/// quickly and reach what a model hides.
/// </summary>
internal sealed class SchedulerUnderTest : IDisposable
{
    private int _searches;

    /// <param name="model">The model whose weights are used; it stays open.</param>
    /// <param name="options">The limits of the scheduler and of its memory.</param>
    /// <param name="restAfter">How long nothing is asked when free memory goes back; null for a minute.</param>
    /// <param name="searching">Called by the search for a fault, before it begins; null for nothing.</param>
    /// <param name="budget">How many rows passes take; null for one that has measured nothing.</param>
    public SchedulerUnderTest(
        LoadedModel model,
        ModelOptions options,
        TimeSpan? restAfter = null,
        Action? searching = null,
        PassBudget? budget = null
    )
    {
        ModelFolder folder = model.Model.Source.Folder;
        Engine = new Engine(
            folder.Weights,
            options.Threads ?? 1,
            options.ContextLength ?? 2000,
            new KvCache(folder.Config, options.KeyValueFormat, options.KvCacheBytes ?? 1L << 30),
            stop =>
            {
                Interlocked.Increment(ref _searches);
                searching?.Invoke();
                return folder.ExplainFault(stop);
            }
        );
        Scheduler = new Scheduler(Engine, options, restAfter, budget);
    }

    public Engine Engine { get; }

    public Scheduler Scheduler { get; }

    public PagePool Pool => Engine.Cache.Pool;

    /// <summary>How often all weights were searched for a fault.</summary>
    public int Searches => Volatile.Read(ref _searches);

    /// <summary>Submits a request as a model does.</summary>
    public ITokenStream Submit(GenerationRequest request, CancellationToken cancellation = default) =>
        new ForgettableStream(Scheduler.Submit(request, cancellation));

    /// <summary>Submits a request and reads all of its answer.</summary>
    public async Task<Answer> Ask(GenerationRequest request, CancellationToken cancellation = default)
    {
        using ITokenStream stream = Submit(request, cancellation);
        return await Answer.Of(stream, cancellation);
    }

    /// <summary>The answer of a request that nothing stands beside and that finds no prefix.</summary>
    public Task<Answer> AskAlone(GenerationRequest request) => Ask(request with { Scope = $"{Guid.NewGuid()}" });

    /// <summary>Waits until something holds, ten seconds at most.</summary>
    public static async Task Until(Func<bool> holds)
    {
        for (int i = 0; i < 1000 && !holds(); i++)
            await Task.Delay(10, TestContext.Current.CancellationToken);
        Assert.True(holds(), "it did not come to pass within 10 s");
    }

    public void Dispose()
    {
        Engine.Close();
        Scheduler.Dispose();
        Engine.Dispose();
    }
}

/// <summary>All of an answer; two are equal if tokens, log-probabilities and the reason of the end are.</summary>
internal sealed record Answer(string Tokens, string LogProbabilities, EndReason End)
{
    /// <summary>How many tokens of the prompt were found again.</summary>
    public int Cached { get; private init; }

    /// <summary>The ids of the answer's tokens.</summary>
    public int[] Ids { get; private init; } = [];

    /// <summary>Reads a stream to its end.</summary>
    public static async Task<Answer> Of(ITokenStream stream, CancellationToken cancellation = default)
    {
        List<GeneratedToken> tokens = [];
        await foreach (GeneratedToken token in stream.ReadAsync(cancellation))
            tokens.Add(token);
        return new Answer(
            string.Join(' ', tokens.Select(token => token.Id)),
            string.Join(
                ' ',
                from token in tokens
                let best = (token.Best ?? []).Select(likely => Bits(likely.LogProbability))
                select $"{Bits(token.LogProbability)}:{string.Join(',', best)}"
            ),
            stream.End
        )
        {
            Cached = stream.CachedTokens,
            Ids = [.. tokens.Select(token => token.Id)],
        };
    }

    public bool Equals(Answer? other) =>
        other is not null && (Tokens, LogProbabilities, End) == (other.Tokens, other.LogProbabilities, other.End);

    public override int GetHashCode() => Tokens.GetHashCode(StringComparison.Ordinal);

    private static string Bits(float? value) =>
        value is { } number ? $"{BitConverter.SingleToUInt32Bits(number):x}" : "";
}

/// <summary>Requests from a seed, some with beginnings in common.</summary>
internal static class ManyRequests
{
    /// <summary>Draws requests; every second one begins as others do.</summary>
    /// <param name="count">How many requests are drawn.</param>
    /// <param name="seed">The seed of the draw.</param>
    /// <param name="longest">The most tokens of a prompt.</param>
    /// <param name="longestAnswer">The most tokens of an answer.</param>
    public static GenerationRequest[] Draw(int count, int seed, int longest = 700, int longestAnswer = 40)
    {
        var random = new Random(seed);
        int[][] beginnings = [Tokens(longest), Tokens(longest)];
        return [.. Enumerable.Range(0, count).Select(Request)];

        int[] Tokens(int length) => [.. Enumerable.Range(0, length).Select(_ => random.Next(512))];

        GenerationRequest Request(int i)
        {
            // Lengths of all sizes, short ones often: 1 to 700.
            int length = (int)Math.Pow(longest, random.NextDouble());
            int common = i % 2 == 0 ? random.Next(length + 1) : 0;
            return new()
            {
                Prompt = [.. beginnings[i / 2 % 2][..common], .. Tokens(length - common)],
                MaxTokens = 1 + random.Next(longestAnswer),
                LogProbabilities = 2,
                Priority = random.Next(3),
                Sampling =
                    i % 3 == 0
                        ? SamplingOptions.Greedy
                        : new SamplingOptions
                        {
                            Seed = (ulong)i,
                            TopP = 0.95f,
                            FrequencyPenalty = i % 3 == 2 ? 0.5f : 0,
                        },
            };
        }
    }
}

/// <summary>Lets go of what a test holds, also where an assertion fails.</summary>
internal sealed class LetGo(Action letGo) : IDisposable
{
    public void Dispose() => letGo();
}

/// <summary>A guide that a test makes of functions.</summary>
/// <param name="heard">Told how many tokens the answer has.</param>
/// <param name="dictate">Says what follows the given number of tokens; null for nothing.</param>
internal sealed class Listening(Action<int> heard, Func<int, int[]>? dictate = null) : ITokenGuide
{
    private int _made;

    public string Name => "the test";

    public Guidance Begin() => new();

    public Guidance After(int token)
    {
        heard(++_made);
        return new() { Dictated = dictate?.Invoke(_made) ?? [] };
    }

    public int CountAllowed(ReadOnlySpan<int> guess) => guess.Length;
}
