using System.Runtime.CompilerServices;
using GptOss.Chat;
using GptOss.Generation;
using GptOss.Tokenization;

namespace GptOss.Tests.Chat;

/// <summary>Says what it was told to, in the place of a model, and notes what it was asked.</summary>
internal sealed class ScriptedSource : ITokenSource
{
    private static readonly Lazy<Tokenizer> Tiny = new(() =>
        Tokenizer.ForFolder(TinyGptOss.Folder, 960, out _) ?? throw new InvalidOperationException()
    );

    private readonly Queue<string> _answers = new();

    public static Tokenizer Tokenizer => Tiny.Value;

    public List<GenerationRequest> Requests { get; } = [];

    /// <summary>The prompts as text, special tokens spelled out.</summary>
    public IEnumerable<string> Prompts => Requests.Select(request => Tokenizer.Decode(request.Prompt));

    /// <summary>A client over answers written in Harmony, behind <c>&lt;|start|&gt;assistant</c>.</summary>
    public static (GptOssChatClient Client, ScriptedSource Source) Of(params string[] answers)
    {
        var source = new ScriptedSource();
        foreach (string answer in answers)
            source._answers.Enqueue(answer);
        var chat = new ChatSource(source, Tokenizer, "scripted", new Uri("file:///scripted"), ContextLength: 4096);
        return (new GptOssChatClient(chat, null, ownsModel: false, null), source);
    }

    public ITokenStream Submit(GenerationRequest request, CancellationToken cancellation)
    {
        Requests.Add(request);
        return new Stream(RawHarmony.Encode(_answers.Dequeue(), Tokenizer, cancellation), request);
    }

    private sealed class Stream(List<int> tokens, GenerationRequest request) : ITokenStream
    {
        public EndReason End { get; private set; }

        public int CachedTokens => 0;

        public async IAsyncEnumerable<GeneratedToken> ReadAsync(
            [EnumeratorCancellation] CancellationToken cancellation = default
        )
        {
            int count = 0;
            foreach (int token in tokens)
            {
                await Task.Yield();
                cancellation.ThrowIfCancellationRequested();
                yield return new GeneratedToken(token);
                End =
                    request.StopTokens.Contains(token) ? EndReason.Stop
                    : ++count >= request.MaxTokens ? EndReason.MaxTokens
                    : EndReason.None;
                if (End != EndReason.None)
                    yield break;
            }
        }

        public void Dispose() { }
    }
}
