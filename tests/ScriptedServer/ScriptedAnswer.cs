using System.Text.Json;
using Microsoft.Extensions.AI;

namespace GptOss.ScriptedServer;

/// <summary>Makes the updates of one answer of the script, as a model's client would.</summary>
/// <param name="own">What the request asks for beyond Microsoft.Extensions.AI.</param>
internal sealed class ScriptedAnswer(GptOssRequestOptions own)
{
    private readonly string _number = own.AnswerId ?? Guid.NewGuid().ToString("N");
    private int _words;
    private int _thoughts;
    private int _calls;
    private bool _isCut;

    public ChatResponseUpdate Update(params IList<AIContent> contents) =>
        new(ChatRole.Assistant, contents)
        {
            MessageId = $"gptoss-{_number}",
            ResponseId = $"gptoss-{_number}",
            ModelId = "gpt-oss-20b",
        };

    public ChatResponseUpdate Text(string piece, bool isPreamble = false)
    {
        _words++;
        var text = new TextContent(piece);
        if (isPreamble)
            text.AdditionalProperties = new() { ["harmony.channel"] = "commentary" };
        return Update(text);
    }

    /// <summary>The words of a text, each with the space before it.</summary>
    public IEnumerable<ChatResponseUpdate> Say(string text) => Words(text).Select(word => Text(word));

    /// <summary>Text on the commentary channel, as the model announces a call.</summary>
    public IEnumerable<ChatResponseUpdate> Note(string text) =>
        Words(text).Select(word => Text(word, isPreamble: true));

    public IEnumerable<ChatResponseUpdate> Think(string text) => Words(text).Select(Thought);

    public ChatResponseUpdate Thought(string piece)
    {
        _words++;
        _thoughts++;
        return Update(new TextReasoningContent(piece));
    }

    public IEnumerable<ChatResponseUpdate> Call(string name, string arguments)
    {
        string id = _calls++ == 0 ? $"call_{_number}" : $"call_{_number}_{_calls}";
        _words++;
        if (own.StreamCalls)
            foreach (string piece in (string[])["", .. arguments.Chunk(7).Select(chunk => new string(chunk))])
                yield return Update(new AIContent { RawRepresentation = new CallDelta(id, name, piece) });
        var call = FunctionCallContent.CreateFromParsedArguments(arguments, id, name, json =>
            _isCut ? null : JsonSerializer.Deserialize<Dictionary<string, object?>>(json)
        );
        call.RawRepresentation = arguments;
        call.InformationalOnly = _isCut;
        yield return Update(call);
    }

    /// <summary>Ends the answer as a limit of its length does.</summary>
    public void Cut() => _isCut = true;

    public ChatResponseUpdate Last()
    {
        ChatResponseUpdate last = Update(
            new UsageContent(
                new UsageDetails
                {
                    InputTokenCount = 10,
                    OutputTokenCount = _words,
                    TotalTokenCount = 10 + _words,
                    CachedInputTokenCount = 4,
                    ReasoningTokenCount = _thoughts,
                }
            )
        );
        last.FinishReason =
            _isCut ? ChatFinishReason.Length
            : _calls > 0 ? ChatFinishReason.ToolCalls
            : ChatFinishReason.Stop;
        return last;
    }

    private static IEnumerable<string> Words(string text) =>
        text.Split(' ').Select((word, index) => index == 0 ? word : " " + word);
}
