using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using GptOss.AspNetCore.Wire;

namespace GptOss.AspNetCore.Answers;

/// <summary>The events of Messages as one answer.</summary>
internal sealed class MessagesFold : ReplyFold
{
    private readonly List<MessageBlock> _content = [];
    private readonly StringBuilder _text = new();
    private MessageObject? _message;
    private MessageBlock? _open;
    private string _signature = "";

    public override void Send<T>(string? name, T data, JsonTypeInfo<T> type)
    {
        switch (data)
        {
            case MessageStart start:
                _message = start.Message;
                break;
            case BlockStart start:
                (_open, _signature) = (start.ContentBlock, "");
                _text.Clear();
                break;
            case BlockPiece piece:
                Grow(piece.Delta);
                break;
            case BlockStop:
                _content.Add(Whole());
                break;
            case MessageEnd end:
                _message = _message! with
                {
                    StopReason = end.Delta.StopReason,
                    StopSequence = end.Delta.StopSequence,
                    Usage = end.Usage,
                };
                break;
        }
    }

    public override byte[] ToJson() =>
        JsonSerializer.SerializeToUtf8Bytes(_message! with { Content = _content }, WireJson.Readable.MessageObject);

    private void Grow(BlockDelta delta)
    {
        switch (delta)
        {
            case SignatureDelta signature:
                _signature = signature.Signature;
                break;
            case ThinkingDelta thinking:
                _text.Append(thinking.Thinking);
                break;
            case TextBlockDelta text:
                _text.Append(text.Text);
                break;
            case InputDelta input:
                _text.Append(input.PartialJson);
                break;
        }
    }

    private MessageBlock Whole()
    {
        string text = _text.ToString();
        return _open switch
        {
            ThinkingBlock => new ThinkingBlock(text, _signature),
            ToolUseBlock call => call with { Input = ToolInput.Whole(text) },
            _ => new TextBlock(text),
        };
    }
}
