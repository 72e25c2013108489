using System.Text;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>
/// The last answers of a model, for hosts whose callers lose a part of them: reasoning that a web page does not send
/// back, properties that a protocol has no place for.
/// </summary>
/// <remarks>
/// An answer is found by its <c>MessageId</c>, and used only if the text and the calls that came back are those that
/// were given. It is a help and not a state: a history without it is read as it is. Of old answers the oldest are
/// forgotten. Belongs to the model, so that all its clients share it. Thread-safe.
/// </remarks>
/// <param name="capacityBytes">The most memory that answers take, as far as their texts and ids do.</param>
internal sealed class AnswerMemory(long capacityBytes)
{
    private const int BytesOfAnEntry = 400;

    /// <summary>
    /// Stands for a call: those of an answer that comes back are its own, since their results are found by them.
    /// </summary>
    private static readonly FunctionCallContent ACall = new("", "");

    private readonly Dictionary<string, Answer> _answers = [];
    private readonly Queue<string> _order = new();
    private long _bytes;

    /// <summary>What the answers take now.</summary>
    public long Bytes
    {
        get
        {
            lock (_answers)
                return _bytes;
        }
    }

    /// <param name="messageId">A fresh one.</param>
    /// <param name="contents">What the caller was given.</param>
    /// <param name="spoken">What the model said.</param>
    public void Add(string messageId, IEnumerable<AIContent> contents, IReadOnlyList<SpokenMessage> spoken)
    {
        string visible = Visible(contents);
        long bytes =
            BytesOfAnEntry
            + 2L * (messageId.Length + visible.Length)
            + spoken.Sum(said => 100 + 2L * said.Text.Length + 4L * (said.Tokens?.Count ?? 0));
        if (bytes > capacityBytes)
            return;
        SpokenMessage[] remembered = [.. spoken.Select(said => said.Call is null ? said : said with { Call = ACall })];
        lock (_answers)
        {
            _answers[messageId] = new Answer(visible, remembered, bytes);
            _order.Enqueue(messageId);
            _bytes += bytes;
            while (_bytes > capacityBytes && _order.TryDequeue(out string? oldest))
            {
                if (_answers.Remove(oldest, out Answer? forgotten))
                    _bytes -= forgotten.Bytes;
            }
        }
    }

    /// <summary>
    /// What the model said in this message; null if that is not known, or if text or calls were changed.
    /// </summary>
    public IReadOnlyList<SpokenMessage>? Find(ChatMessage message)
    {
        if (message.MessageId is not { } id)
            return null;
        Answer? answer;
        lock (_answers)
            _answers.TryGetValue(id, out answer);
        if (answer is null || answer.Visible != Visible(message.Contents))
            return null;
        using IEnumerator<FunctionCallContent> calls = message.Contents.OfType<FunctionCallContent>().GetEnumerator();
        return
        [
            .. answer.Spoken.Select(said =>
                said.Call is null || !calls.MoveNext() ? said : said with { Call = calls.Current }
            ),
        ];
    }

    /// <summary>Text and calls in their order, however they were cut into pieces.</summary>
    private static string Visible(IEnumerable<AIContent> contents)
    {
        var visible = new StringBuilder();
        foreach (AIContent content in contents)
        {
            if (content is TextContent text)
                visible.Append(text.Text);
            else if (content is FunctionCallContent call)
                visible
                    .Append('\0')
                    .Append(call.CallId)
                    .Append('\0')
                    .Append(call.Name)
                    .Append('\0')
                    .Append(ToolText.Arguments(call))
                    .Append('\0');
        }
        return visible.ToString();
    }

    private sealed record Answer(string Visible, IReadOnlyList<SpokenMessage> Spoken, long Bytes);
}
