using GptOss.Chat;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using static GptOss.Tests.Chat.ChatScript;

namespace GptOss.Tests.Chat;

/// <summary>How answers end before their end, and what is told about them.</summary>
public sealed class RequestRunnerTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)] // before the first token
    [InlineData(6)] // in the middle of the text
    public async Task The_await_ends_with_its_cancellation_whatever_the_source_does(int tokens)
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        Task<ChatResponse> answer = Stuck(tokens, out Task reached)
            .GetResponseAsync("Hi", cancellationToken: cancel.Token);
        await reached;

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer.WaitAsync(TimeSpan.FromSeconds(5), Stop));
        Assert.True(answer.IsCanceled);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(6)]
    public async Task Disposing_the_client_ends_its_answers_and_refuses_others(int tokens)
    {
        GptOssChatClient client = Stuck(tokens, out Task reached);
        Task<ChatResponse> answer = client.GetResponseAsync("Hi", cancellationToken: Stop);
        await reached;

        client.Dispose();
        client.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => answer);
        Assert.Throws<ObjectDisposedException>(() => client.GetStreamingResponseAsync("Hi", cancellationToken: Stop));
    }

    [Fact]
    public async Task A_cancelled_request_makes_nothing()
    {
        var source = new TokenScript(Greeting);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            source.Client().GetResponseAsync("Hi", cancellationToken: new CancellationToken(true))
        );
        Assert.Empty(source.Requests);
    }

    [Theory]
    [InlineData(LogLevel.Debug, false)]
    [InlineData(LogLevel.Trace, true)]
    public async Task Words_are_logged_at_trace_only(LogLevel level, bool words)
    {
        using var log = new Journal(level);
        await new TokenScript(Greeting).Client(log).GetResponseAsync("My secret", cancellationToken: Stop);

        string all = string.Join('\n', log.Lines);
        Assert.Contains("ended by stop", all);
        Assert.Equal(words, all.Contains("My secret", StringComparison.Ordinal));
        Assert.Equal(words, all.Contains("Hello there", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(null, 1)] // nobody limited it
    [InlineData(7, 0)] // the request did
    public async Task An_answer_that_nobody_limits_ends_at_the_models_limit_with_one_warning(int? asked, int warnings)
    {
        using var log = new Journal(LogLevel.Warning);
        var source = new TokenScript(
            "<|channel|>final<|message|>" + string.Concat(Enumerable.Repeat("again ", 30)) + "<|return|>"
        );
        var chat = new ChatSource(source, TokenScript.Tokenizer, "script", null, ContextLength: 4096)
        {
            MaxOutputTokens = 7,
        };
        using var client = new GptOssChatClient(chat, null, ownsModel: false, log);

        ChatResponse answer = await client.GetResponseAsync(
            "Hi",
            new ChatOptions { MaxOutputTokens = asked },
            TestContext.Current.CancellationToken
        );

        Assert.Equal((ChatFinishReason.Length, 7L), (answer.FinishReason, answer.Usage!.OutputTokenCount));
        Assert.Equal(
            warnings,
            log.Lines.Count(line =>
                line.Contains("after 7 tokens by ModelOptions.MaxOutputTokens", StringComparison.Ordinal)
            )
        );
        Assert.Equal(warnings, log.Lines.Count);
    }

    [Fact]
    public async Task A_logger_that_throws_ends_no_request_and_hides_no_error()
    {
        using var log = new FaultyLog();
        using GptOssChatClient client = new TokenScript(Greeting).Client(log);
        Assert.NotEmpty(
            (await client.GetResponseAsync("Hi", cancellationToken: TestContext.Current.CancellationToken)).Text
        );
        var error = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() =>
            client.GetResponseAsync(
                "Hi",
                new ChatOptions { MaxOutputTokens = 0 },
                TestContext.Current.CancellationToken
            )
        );
        Assert.Contains("MaxOutputTokens", error.Message);
        Assert.True(log.Calls > 1);
    }

    [Fact]
    public async Task A_factory_of_loggers_that_throws_is_as_none()
    {
        using var log = new FaultyLog { MakesNone = true };
        using GptOssChatClient client = new TokenScript(Greeting).Client(log);
        Assert.NotEmpty(
            (await client.GetResponseAsync("Hi", cancellationToken: TestContext.Current.CancellationToken)).Text
        );
    }

    [Fact]
    public async Task A_disposed_client_names_its_model()
    {
        GptOssChatClient client = new TokenScript(Greeting).Client();
        string? model = client.GetService<ChatClientMetadata>()?.DefaultModelId;
        client.Dispose();
        var error = await Assert.ThrowsAsync<ObjectDisposedException>(() =>
            client.GetResponseAsync("Hi", cancellationToken: TestContext.Current.CancellationToken)
        );
        Assert.Equal($"The client of the model '{model}' was disposed.", error.Message);
    }

    private sealed class FaultyLog : ILoggerFactory, ILogger
    {
        public bool MakesNone { get; init; }

        public int Calls { get; private set; }

        public ILogger CreateLogger(string categoryName) =>
            MakesNone ? throw new InvalidOperationException("no such provider") : this;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            Calls++;
            throw new InvalidOperationException("the disk of the log is full");
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public void AddProvider(ILoggerProvider provider) { }

        public void Dispose() { }
    }

    /// <summary>A client whose source gives the number of tokens and then none, for ever.</summary>
    private static GptOssChatClient Stuck(int tokens, out Task reached)
    {
        var stuck = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        reached = stuck.Task;
        int given = 0;
        return new TokenScript(Greeting)
        {
            Pace = stop =>
            {
                if (given++ < tokens)
                    return Task.CompletedTask;
                stuck.TrySetResult();
                return Task.Delay(Timeout.Infinite, stop);
            },
        }.Client();
    }
}
