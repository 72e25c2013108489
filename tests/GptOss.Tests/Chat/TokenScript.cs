using System.Runtime.CompilerServices;
using GptOss.Chat;
using GptOss.Generation;
using GptOss.Tests.Tokenization;
using GptOss.Tokenization;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace GptOss.Tests.Chat;

/// <summary>Answers requests from a script instead of a model; the last line of the script is repeated.</summary>
internal sealed class TokenScript(params string[] answers) : ITokenSource
{
    private int _next;

    public static Tokenizer Tokenizer => Tokenizer.O200kHarmony;

    public List<GenerationRequest> Requests { get; } = [];

    /// <summary>Awaited before each token; what never completes is a prompt that takes for ever.</summary>
    public Func<CancellationToken, Task> Pace { get; init; } = _ => Task.CompletedTask;

    /// <summary>Sees each token before it is given out.</summary>
    public Func<int, GeneratedToken> Report { get; init; } = id => new GeneratedToken(id);

    /// <summary>Tokens of a prompt that count as found again.</summary>
    public int CachedTokens { get; init; }

    /// <summary>A token of the script that only parts others, so that they are not one.</summary>
    public int? Skips { get; init; }

    public GptOssChatClient Client(ILoggerFactory? logger = null) =>
        new(new ChatSource(this, Tokenizer, "script", null, ContextLength: 4096), null, ownsModel: false, logger);

    /// <summary>The prompt of a request, markers spelled out.</summary>
    public string Prompt(int request = 0) => Tokenizer.Decode(Requests[request].Prompt);

    public ITokenStream Submit(GenerationRequest request, CancellationToken cancellation)
    {
        lock (Requests)
        {
            Requests.Add(request);
            string answer = answers[Math.Min(_next++, answers.Length - 1)];
            return new Stream(
                this,
                request,
                [.. SpecialSpellings.Encode(Tokenizer, answer).Where(id => id != Skips)],
                cancellation
            );
        }
    }

    private sealed class Stream(TokenScript source, GenerationRequest request, List<int> script, CancellationToken stop)
        : ITokenStream
    {
        private readonly Queue<int> _dictated = new();

        public EndReason End { get; private set; }

        public int CachedTokens => source.CachedTokens;

        public async IAsyncEnumerable<GeneratedToken> ReadAsync(
            [EnumeratorCancellation] CancellationToken cancellation = default
        )
        {
            int at = 0;
            for (int made = 1; End == EndReason.None; made++)
            {
                await source.Pace(stop).WaitAsync(stop);
                if (!_dictated.TryDequeue(out int id))
                {
                    Assert.True(at < script.Count, "The script is over, and the client wants more.");
                    id = script[at++];
                }
                foreach (int next in request.Guide?.After(id) ?? [])
                    _dictated.Enqueue(next);
                End =
                    request.StopTokens.Contains(id) ? EndReason.Stop
                    : made >= request.MaxTokens ? EndReason.MaxTokens
                    : EndReason.None;
                yield return source.Report(id);
            }
        }

        public void Dispose() => _dictated.Clear();
    }
}

/// <summary>What tests of the chat client share.</summary>
internal static class ChatScript
{
    public const string Greeting =
        "<|channel|>analysis<|message|>The user greets.<|end|><|start|>assistant<|channel|>final<|message|>Hello there!<|return|>";

    public const string Call =
        "<|channel|>analysis<|message|>I need the weather.<|end|><|start|>assistant"
        + "<|channel|>commentary<|message|>Let me look.<|end|><|start|>assistant"
        + """<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{"city": "Lisbon"}<|call|>""";

    public const string Answer = "<|channel|>final<|message|>It is sunny.<|return|>";

    /// <summary>Options whose prompt is the same every day.</summary>
    public static ChatOptions Options(GptOssRequestOptions? own = null) =>
        new() { RawRepresentationFactory = _ => (own ?? new()) with { CurrentDate = new DateOnly(2026, 11, 24) } };

    public static AIFunction Weather(Func<string, object?> result) =>
        AIFunctionFactory.Create((string city) => result(city), "get_weather", "Tells the weather.");
}
