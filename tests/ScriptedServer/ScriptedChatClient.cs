using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace GptOss.ScriptedServer;

/// <summary>
/// Answers as the last message of the user says, so that whatever talks to a server can be tried without a model.
/// </summary>
/// <remarks>
/// Each line of that message may be a command:
/// <list type="bullet">
/// <item><c>CALL name {json}</c> calls that function; the next request, with the result, is answered with it.</item>
/// <item><c>READ n ms</c> reads a prompt of n tokens for that time, and tells how far it is.</item>
/// <item><c>SLEEP ms</c> does nothing for that time.</item>
/// <item><c>SAY text</c> says the text, word by word.</item>
/// <item><c>THINK text</c> thinks the text, and <c>NOTE text</c> says it before a call, on the commentary
/// channel.</item>
/// <item><c>LONG n ms</c> says n words, one each that time, and <c>PONDER n ms</c> thinks them.</item>
/// <item><c>WRITE text</c> says the text, in which <c>\n</c> begins a new line.</item>
/// <item><c>CUT</c> ends the answer, or the call that comes next, as a limit of its length does.</item>
/// <item><c>FAIL</c> fails.</item>
/// </list>
/// Without a command it thinks a little and repeats what it was told.
/// </remarks>
public sealed class ScriptedChatClient : IChatClient
{
    private static readonly string[] Commands =
    [
        "CALL",
        "READ",
        "SLEEP",
        "SAY",
        "THINK",
        "NOTE",
        "LONG",
        "PONDER",
        "WRITE",
        "CUT",
        "FAIL",
    ];

    private int _running;

    /// <summary>What was asked, in the order in which it came.</summary>
    public ConcurrentQueue<(IReadOnlyList<ChatMessage> Messages, ChatOptions? Options)> Asked { get; } = new();

    /// <summary>How many answers are being made now.</summary>
    public int Running => Volatile.Read(ref _running);

    public Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options = null,
        CancellationToken cancellationToken = default
    ) => GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        ChatMessage[] history = [.. messages];
        Asked.Enqueue((history, options));
        Interlocked.Increment(ref _running);
        try
        {
            var own = options?.RawRepresentationFactory?.Invoke(this) as GptOssRequestOptions ?? new();
            var answer = new ScriptedAnswer(own);
            yield return answer.Update();
            await foreach (ChatResponseUpdate update in AnswerAsync(history, answer, own, cancellationToken))
                yield return update;
            yield return answer.Last();
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("script", null, "gpt-oss-20b")
        : serviceType.IsInstanceOfType(this) ? this
        : null;

    public void Dispose() { }

    private static async IAsyncEnumerable<ChatResponseUpdate> AnswerAsync(
        ChatMessage[] history,
        ScriptedAnswer answer,
        GptOssRequestOptions own,
        [EnumeratorCancellation] CancellationToken cancellation
    )
    {
        if (history[^1].Contents.OfType<FunctionResultContent>().LastOrDefault() is { } result)
        {
            foreach (ChatResponseUpdate update in answer.Say($"The tool said: {result.Result}"))
                yield return update;
            yield break;
        }
        string text = history.LastOrDefault(message => message.Role == ChatRole.User)?.Text ?? "";
        string[] lines = [.. text.Split('\n').Where(line => Commands.Contains(line.Split(' ')[0]))];
        foreach (string line in lines)
        {
            string[] words = line.Trim().Split(' ', 3);
            int Number(int at) => int.Parse(words[at], CultureInfo.InvariantCulture);
            switch (words[0])
            {
                case "CALL":
                    foreach (ChatResponseUpdate update in answer.Call(words[1], words.Length > 2 ? words[2] : "{}"))
                        yield return update;
                    break;
                case "READ":
                    for (int i = 0; i <= 10; i++)
                    {
                        own.PromptProgress?.Report(new PromptProgress(Number(1), 0, Number(1) * i / 10));
                        if (i < 10)
                            await Task.Delay(Number(2) / 10, cancellation);
                    }
                    break;
                case "SLEEP":
                    await Task.Delay(Number(1), cancellation);
                    break;
                case "SAY":
                    foreach (ChatResponseUpdate update in answer.Say(line[4..]))
                        yield return update;
                    break;
                case "THINK":
                    foreach (ChatResponseUpdate update in answer.Think(line[6..]))
                        yield return update;
                    break;
                case "NOTE":
                    foreach (ChatResponseUpdate update in answer.Note(line[5..]))
                        yield return update;
                    break;
                case "LONG" or "PONDER":
                    var watch = Stopwatch.StartNew();
                    for (int i = 0; i < Number(1); i++)
                    {
                        // A delay is longer than what it was asked for, so those that are late already have none.
                        int ahead = words.Length > 2 ? (i + 1) * Number(2) - (int)watch.ElapsedMilliseconds : 0;
                        if (ahead > 0)
                            await Task.Delay(ahead, cancellation);
                        cancellation.ThrowIfCancellationRequested();
                        yield return words[0] == "LONG" ? answer.Text($"word{i} ") : answer.Thought($"word{i} ");
                    }
                    break;
                case "WRITE":
                    foreach (ChatResponseUpdate update in answer.Say(line[6..].Replace("\\n", "\n")))
                        yield return update;
                    break;
                case "CUT":
                    answer.Cut();
                    break;
                case "FAIL":
                    throw new InvalidTimeZoneException("The script says so.");
            }
        }
        if (lines.Length > 0)
            yield break;
        foreach (ChatResponseUpdate update in answer.Think("They said something.").Concat(answer.Say(text)))
            yield return update;
    }
}
