using System.Text;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>
/// Remembers the last answers of a model, for hosts whose callers send an answer back without some of it: a web page
/// drops the reasoning, and OpenAI's protocol has no field for what a message carries in
/// <c>AdditionalProperties</c>.
/// </summary>
/// <remarks>
/// An answer is found by its <c>MessageId</c> or by the id of its call, within its <see
/// cref="GptOssRequestOptions.CacheScope"/>, and used only if the text and the calls that came back are those that were
/// given. Arguments may be written differently as long as they are the same JSON, since clients indent them and order
/// them anew; the model then finds them as it wrote them, and its prompt has the same beginning. An answer that is not
/// remembered is read from the history, so that forgetting costs only what the caller has dropped. When the memory is
/// full, the oldest answers are forgotten. Belongs to the model, so that all clients of the model share it; used only
/// by requests with <see cref="GptOssRequestOptions.RecallAnswers"/>. Thread-safe.
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
    /// <param name="messageId">The id of the answer's message, of which the id of its call is made too.</param>
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
        (string text, GivenCall[] calls) = Seen(contents);
        long bytes =
            BytesOfAnEntry
            + 2L * (messageId.Length + text.Length + calls.Sum(call => call.Name.Length + call.Arguments.Length))
            + spoken.Sum(said => 100 + 2L * said.Text.Length + 4L * (said.Tokens?.Count ?? 0));
        if (bytes > capacityBytes)
            return;
        SpokenMessage[] remembered =
        [
            .. spoken.Select(said => said.Call is null ? said : said with { Call = PlaceOfCall }),
        ];
        lock (_answers)
        {
            // A host may have given two answers one id. Then the later one counts, in the place of the first.
            if (!Forget((scope, messageId)))
                _order.Enqueue((scope, messageId));
            _answers[(scope, messageId)] = new Answer(text, calls, remembered, bytes);
            _bytes += bytes;
            while (_bytes > capacityBytes && _order.TryDequeue(out (string? Scope, string Id) oldest))
                Forget(oldest);
        }
    }

    /// <summary>
    /// The messages that the model wrote in the answer that came back as this message; null if the answer is not
    /// remembered, or if its text or its calls were changed since.
    /// </summary>
    public IReadOnlyList<SpokenMessage>? Find(ChatMessage message, string? scope = null)
    {
        Answer? answer = Named(message.MessageId, scope)
            ?? message
                .Contents.OfType<FunctionCallContent>()
                .Select(call => Named(AnswerIds.MessageOf(call.CallId), scope))
                .FirstOrDefault();
        if (answer is null || !AreSame(answer, Seen(message.Contents)))
            return null;
        using IEnumerator<FunctionCallContent> calls = message.Contents.OfType<FunctionCallContent>().GetEnumerator();
        return
        [
            .. answer.Spoken.Select(said =>
                said.Call is null || !calls.MoveNext() ? said : said with { Call = calls.Current }
            ),
        ];
    }

    private Answer? Named(string? id, string? scope)
    {
        if (id is null)
            return null;
        lock (_answers)
            return _answers.GetValueOrDefault((scope, id));
    }

    private bool Forget((string? Scope, string Id) key)
    {
        if (!_answers.Remove(key, out Answer? forgotten))
            return false;
        _bytes -= forgotten.Bytes;
        return true;
    }

    private static bool AreSame(Answer answer, (string Text, GivenCall[] Calls) other) =>
        answer.Text == other.Text
        && answer.Calls.Length == other.Calls.Length
        && answer
            .Calls.Zip(other.Calls)
            .All(pair =>
                (pair.First.Id, pair.First.Name) == (pair.Second.Id, pair.Second.Name)
                && ToolText.Same(pair.First.Arguments, pair.Second.Arguments)
            );

    /// <summary>What a caller sees of an answer, whether it comes in one piece or in a hundred.</summary>
    private static (string Text, GivenCall[] Calls) Seen(IEnumerable<AIContent> contents)
    {
        var text = new StringBuilder();
        var calls = new List<GivenCall>();
        foreach (AIContent content in contents)
        {
            if (content is TextContent said)
                text.Append(said.Text);
            else if (content is FunctionCallContent call)
                calls.Add(new GivenCall(call.CallId, call.Name, ToolText.Arguments(call)));
        }
        return (text.ToString(), [.. calls]);
    }

    /// <summary>A call as a caller sees it, with its arguments as compact JSON.</summary>
    private readonly record struct GivenCall(string Id, string Name, string Arguments);

    /// <summary>An answer that is remembered.</summary>
    /// <param name="Text">The text that the caller was given, to compare with what comes back.</param>
    /// <param name="Calls">The calls that the caller was given, to compare with what comes back.</param>
    /// <param name="Spoken">The messages that the model wrote.</param>
    /// <param name="Bytes">About how much memory the answer takes.</param>
    private sealed record Answer(string Text, GivenCall[] Calls, IReadOnlyList<SpokenMessage> Spoken, long Bytes);
}
