using System.Runtime.CompilerServices;
using GptOss.Chat;
using GptOss.Generation;
using GptOss.Tests.Tokenization;
using GptOss.Tokenization;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace GptOss.Tests.Chat;

/// <summary>
/// Answers requests from a script instead of a model, and notes what it was asked. The last answer of the script is
/// repeated.
/// </summary>
internal sealed class TokenScript : ITokenSource
{
    private readonly RequestQueue _queue = new(capacity: 1000, maxRunning: 1);
    private readonly int[][] _answers;
    private int _next;

    /// <param name="answers">Answers in Harmony, as they go on behind <c>&lt;|start|&gt;assistant</c>.</param>
    public TokenScript(params string[] answers)
        : this([.. answers.Select(answer => SpecialSpellings.Encode(Tokenizer, answer).ToArray())]) { }

    private TokenScript(int[][] answers) => _answers = answers;

    public static Tokenizer Tokenizer => Tokenizer.O200kHarmony;

    public List<GenerationRequest> Requests { get; } = [];

    /// <summary>Awaited before each token; a task that never completes is a prompt that takes for ever.</summary>
    public Func<CancellationToken, Task> Pace { get; init; } = _ => Task.CompletedTask;

    /// <summary>Sees each token before it is given out.</summary>
    public Func<int, GeneratedToken> Report { get; init; } = id => new GeneratedToken(id);

    /// <summary>
    /// Whether the script is not held to what the request allows: for tests of how an answer of any form is read.
    /// </summary>
    public bool IsFree { get; init; }

    /// <summary>The number of prompt tokens that count as found again.</summary>
    public int CachedTokens { get; init; }

    /// <summary>What a chat client needs of this script.</summary>
    public ChatSource Source => new(this, Tokenizer, "script", null, ContextLength: 4096);

    /// <summary>A script of one answer in ids, which may be others than the tokenizer's.</summary>
    public static TokenScript OfIds(params IEnumerable<int> answer) =>
        new([
            [.. answer],
        ])
        {
            IsFree = true,
        };

    /// <summary>The number of tokens of an answer in Harmony.</summary>
    public static int Count(string answer) => SpecialSpellings.Encode(Tokenizer, answer).Count;

    public GptOssChatClient Client(ILoggerFactory? logger = null) =>
        new(Source, model: null, ownsModel: false, loggerFactory: logger);

    /// <summary>A client in the function loop of Microsoft.Extensions.AI.</summary>
    public IChatClient Loop() => Client().AsBuilder().UseFunctionInvocation().Build();

    /// <summary>The prompt of a request, markers spelled out.</summary>
    public string Prompt(int request = 0) => Tokenizer.Decode(Requests[request].Prompt);

    public QueuePlace Reserve() => _queue.Reserve();

    public ITokenStream Submit(GenerationRequest request, CancellationToken cancellation, QueuePlace? place = null)
    {
        lock (Requests)
        {
            Requests.Add(request);
            return new Stream(this, request, _answers[Math.Min(_next++, _answers.Length - 1)], cancellation);
        }
    }

    private sealed class Stream(TokenScript source, GenerationRequest request, int[] script, CancellationToken stop)
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
            ITokenGuide? guide = source.IsFree ? null : request.Guide;
            Guidance guidance = guide?.Begin() ?? new();
            for (int made = 1; End == EndReason.None; made++)
            {
                await source.Pace(stop).WaitAsync(stop);
                foreach (int next in guidance.Dictated)
                    _dictated.Enqueue(next);
                bool isDictated = _dictated.TryDequeue(out int id);
                if (!isDictated)
                {
                    Assert.True(at < script.Length, "The script is over, and the client wants more.");
                    id = script[at++];
                    if (guidance.Allowed?.Allows(id) == false)
                        throw new InvalidOperationException($"{guide!.Name} does not allow the token {id}.");
                }
                else if (at < script.Length && script[at] == id)
                    at++; // what is dictated as the script has it
                End =
                    request.StopTokens.Contains(id) ? EndReason.Stop
                    : made >= request.MaxTokens ? EndReason.MaxTokens
                    : EndReason.None;
                if (End == EndReason.None)
                    guidance = guide?.After(id) ?? new();
                yield return source.Report(id);
            }
        }

        public void Dispose() => _dictated.Clear();
    }
}
