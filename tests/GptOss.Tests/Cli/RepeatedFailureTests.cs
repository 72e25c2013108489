using System.Runtime.CompilerServices;
using GptOss.Cli.Chat;
using Microsoft.Extensions.AI;

namespace GptOss.Tests.Cli;

/// <summary>
/// A model that makes the same failing call again and again is stopped at the second equal failure, and no other one
/// is.
/// </summary>
public sealed class RepeatedFailureTests
{
    private const int MostCalls = 6;

    [Theory]
    [InlineData("the same call, the same failure", 2, true)]
    [InlineData("other arguments", MostCalls, false)]
    [InlineData("another failure", MostCalls, false)]
    [InlineData("no failure", MostCalls, false)]
    public async Task Only_the_second_equal_failure_ends_the_answer(string kind, int calls, bool stopped)
    {
        int made = 0;
        AIFunction function = AIFunctionFactory.Create(
            (int n) =>
                ++made > 0 && kind != "no failure"
                    ? throw new ArgumentException(kind == "another failure" ? $"no. {made}" : "no such city")
                    : n,
            "look_up"
        );
        var failures = new RepeatedFailure();
        using var caller = new FunctionInvokingChatClient(new Caller(kind == "other arguments"))
        {
            FunctionInvoker = failures.InvokeAsync,
            MaximumConsecutiveErrorsPerRequest = int.MaxValue,
        };
        await foreach (
            ChatResponseUpdate _ in caller.GetStreamingResponseAsync(
                "Where?",
                new ChatOptions { Tools = [function] },
                TestContext.Current.CancellationToken
            )
        ) { }

        Assert.Equal(calls, made);
        Assert.Equal(stopped ? "look_up" : null, failures.Stopped);
    }

    [Fact]
    public async Task A_cancelled_call_is_no_failure()
    {
        var failures = new RepeatedFailure();
        var context = new FunctionInvocationContext
        {
            Function = AIFunctionFactory.Create(Task () => throw new OperationCanceledException(), "wait"),
            Arguments = [],
        };
        for (int i = 0; i < 2; i++)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
                await failures.InvokeAsync(context, TestContext.Current.CancellationToken)
            );
        Assert.Null(failures.Stopped);
        Assert.False(context.Terminate);
    }

    // Calls look_up until it has been asked often enough, and then answers.
    private sealed class Caller(bool countsUp) : IChatClient
    {
        private int _asked;

        public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages,
            ChatOptions? options = null,
            [EnumeratorCancellation] CancellationToken cancellationToken = default
        )
        {
            await Task.Yield();
            int n = ++_asked;
            AIContent content =
                n > MostCalls
                    ? new TextContent("There.")
                    : new FunctionCallContent(
                        $"call{n}",
                        "look_up",
                        new Dictionary<string, object?> { ["n"] = countsUp ? n : 1 }
                    );
            yield return new ChatResponseUpdate(ChatRole.Assistant, [content]);
        }

        public async Task<ChatResponse> GetResponseAsync(
            IEnumerable<ChatMessage> messages,
            ChatOptions? options = null,
            CancellationToken cancellationToken = default
        ) =>
            await GetStreamingResponseAsync(messages, options, cancellationToken)
                .ToChatResponseAsync(cancellationToken);

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose() { }
    }
}
