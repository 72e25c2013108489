using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using GptOss.AspNetCore.Wire;

namespace GptOss.AspNetCore.Answers;

/// <summary>The chunks of Chat Completions as one answer.</summary>
internal sealed class ChatFold : ReplyFold
{
    private readonly StringBuilder _content = new(),
        _reasoning = new(),
        _input = new();
    private readonly List<WireProbability> _probabilities = [];
    private readonly List<ChatCall> _calls = [];
    private CountedChatChunk? _last;
    private string? _finish;

    public override void Send<T>(string? name, T data, JsonTypeInfo<T> type)
    {
        if (data is not CountedChatChunk chunk)
            return;
        _last = chunk;
        foreach (ChatPiece piece in chunk.Choices)
        {
            _finish = piece.FinishReason ?? _finish;
            _content.Append(piece.Delta.Content);
            _reasoning.Append(piece.Delta.Reasoning);
            _probabilities.AddRange(piece.Logprobs?.Content ?? []);
            foreach (ChatCall call in piece.Delta.ToolCalls ?? [])
                Add(call);
        }
    }

    public override byte[] ToJson()
    {
        CountedChatChunk last = _last!;
        EndCall();
        var whole = new ChatCompletion
        {
            Id = last.Id,
            Created = last.Created,
            Model = last.Model,
            SystemFingerprint = last.SystemFingerprint,
            Choices =
            [
                new ChatChoice
                {
                    FinishReason = _finish!,
                    Logprobs = _probabilities.Count > 0 ? new ChatProbabilities(_probabilities) : null,
                    Message = new ChatAnswer
                    {
                        // An answer that is a call alone says nothing.
                        Content = _content.Length > 0 || _calls.Count == 0 ? _content.ToString() : null,
                        Reasoning = _reasoning.Length > 0 ? _reasoning.ToString() : null,
                        ToolCalls = _calls.Count > 0 ? _calls : null,
                    },
                },
            ],
            Usage = last.Usage!,
            Timings = last.Timings!,
        };
        return JsonSerializer.SerializeToUtf8Bytes(whole, WireJson.Readable.ChatCompletion);
    }

    private void Add(ChatCall call)
    {
        if (call.Id is not null)
        {
            EndCall();
            _calls.Add(call with { Index = null });
        }
        _input.Append(call.Function?.Arguments ?? call.Custom?.Input);
    }

    private void EndCall()
    {
        if (_calls.Count == 0)
            return;
        ChatCall call = _calls[^1];
        string input = _input.ToString();
        _calls[^1] = call with
        {
            Function = call.Function is { } function ? function with { Arguments = input } : null,
            Custom = call.Custom is { } custom ? custom with { Input = input } : null,
        };
        _input.Clear();
    }
}
