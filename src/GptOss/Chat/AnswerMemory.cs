using System.Text;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>
/// Remembers the last answers of a model, for hosts whose callers send an answer back without some of it: a web page
/// drops the reasoning, and OpenAI's protocol has no field for what a message carries in
/// <c>AdditionalProperties</c>.
/// </summary>
/// <remarks>
/// An answer is found by its <c>MessageId</c> within its <see cref="GptOssRequestOptions.CacheScope"/>, and used only
/// if the text and the calls that came back are those that were given. An answer that is not remembered is read from
/// the history, so that forgetting costs only what the caller has dropped. When the memory is full, the oldest answers
/// are forgotten. Belongs to the model, so that all clients of the model share it; used only by requests with <see
/// cref="GptOssRequestOptions.RecallAnswers"/>. Thread-safe.
/// </remarks>
/// <param name="capacityBytes">The most bytes that the texts and token ids of all answers may take.</param>
internal sealed class AnswerMemory(long capacityBytes)
{
    private const int BytesOfAnEntry = 400;

    /// <summary>
    /// Stands in the place of every remembered call. <see cref="Find"/> puts in the calls of the message that came
    /// back, since the results of a history are found by the call's own object.
    /// </summary>
    private static readonly FunctionCallContent PlaceOfCall = new("", "");

    private readonly Dictionary<(string? Scope, string Id), Answer> _answers = [];
    private readonly Queue<(string? Scope, string Id)> _order = new();
    private long _bytes;

    /// <summary>The bytes that the remembered answers take now.</summary>
    public long Bytes
    {
        get
        {
            lock (_answers)
                return _bytes;
        }
    }

    /// <summary>Remembers an answer, unless it alone is larger than the memory.</summary>
    /// <param name="messageId">The id of the answer's message, which no other answer has.</param>
    /// <param name="contents">The contents that the caller was given.</param>
    /// <param name="spoken">The messages that the model wrote.</param>
    /// <param name="scope">The scope within which the answer is found; null for the shared one.</param>
    public void Add(
        string messageId,
        IEnumerable<AIContent> contents,
        IReadOnlyList<SpokenMessage> spoken,
        string? scope = null
    )
    {
        string visible = Visible(contents);
        long bytes =
            BytesOfAnEntry
            + 2L * (messageId.Length + visible.Length)
            + spoken.Sum(said => 100 + 2L * said.Text.Length + 4L * (said.Tokens?.Count ?? 0));
        if (bytes > capacityBytes)
            return;
        SpokenMessage[] remembered =
        [
            .. spoken.Select(said => said.Call is null ? said : said with { Call = PlaceOfCall }),
        ];
        lock (_answers)
        {
            _answers[(scope, messageId)] = new Answer(visible, remembered, bytes);
            _order.Enqueue((scope, messageId));
            _bytes += bytes;
            while (_bytes > capacityBytes && _order.TryDequeue(out (string? Scope, string Id) oldest))
            {
                if (_answers.Remove(oldest, out Answer? forgotten))
                    _bytes -= forgotten.Bytes;
            }
        }
    }

    /// <summary>
    /// The messages that the model wrote in the answer that came back as this message; null if the answer is not
    /// remembered, or if its text or its calls were changed since.
    /// </summary>
    public IReadOnlyList<SpokenMessage>? Find(ChatMessage message, string? scope = null)
    {
        if (message.MessageId is not { } id)
            return null;
        Answer? answer;
        lock (_answers)
            _answers.TryGetValue((scope, id), out answer);
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

    /// <summary>
    /// Text and calls in their order as one string: the same for an answer in one piece and in a hundred.
    /// </summary>
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

    /// <summary>An answer that is remembered.</summary>
    /// <param name="Visible">The text and the calls that the caller was given, to compare with what comes back.</param>
    /// <param name="Spoken">The messages that the model wrote.</param>
    /// <param name="Bytes">About how much memory the answer takes.</param>
    private sealed record Answer(string Visible, IReadOnlyList<SpokenMessage> Spoken, long Bytes);
}
