using System.Text.Json;
using GptOss.AspNetCore.Faults;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Requests;

/// <summary>
/// Reads the items of Responses, those that the server has stored and those that the request brings, as messages.
/// </summary>
/// <remarks>
/// What the model did lies in items of their own. Those of one answer are put into one message again: they have the
/// answer's number in their ids, or, from clients that drop the ids, stand one behind the other with a call or the
/// final answer last.
/// </remarks>
internal sealed class ResponsesHistory
{
    private const int Most = 10_000;

    private static readonly string[] Roles = ["system", "developer", "user", "assistant"];

    private readonly List<ChatMessage> _messages = [];
    private readonly OpenCalls _calls = new();
    private readonly ISet<string> _ignored;
    private ChatMessage? _answer;
    private bool _isOver;

    private ResponsesHistory(ISet<string> ignored) => _ignored = ignored;

    /// <summary>The conversation, oldest message first.</summary>
    /// <param name="input">The field <c>input</c> of the request.</param>
    /// <param name="stored">The items of the answers that the request builds on, oldest first.</param>
    /// <param name="find">Finds a stored item by its id.</param>
    /// <param name="ignored">Gets the kinds of items that are passed over.</param>
    /// <exception cref="FaultException">An item is wrong, or a call and its results do not fit.</exception>
    public static List<ChatMessage> Read(
        WireValue input,
        IEnumerable<JsonElement> stored,
        Func<string, JsonElement?> find,
        ISet<string> ignored
    )
    {
        const string Expected = "a text or a list of items";
        var history = new ResponsesHistory(ignored);
        WireValue[] items =
        [
            .. stored
                .Select(item => new WireValue(item, "previous_response_id"))
                .Concat(input.Needed(Expected).IsText ? [] : input.Items(Most, Expected))
                .Select(item => Resolved(item, find)),
        ];
        string[] kinds = [.. items.Select(Kind)];
        int awaited = ChatHistory.Awaited([.. items.Select((item, i) => Speaker(item, kinds[i]))]);
        for (int i = 0; i < items.Length; i++)
            history.Add(items[i], kinds[i], refusesOthers: i == awaited);
        history._calls.Close();
        if (input.IsText)
            history.AddOther(ChatRole.User, input.Text()!);
        return history._messages.Count > 0
            ? history._messages
            : throw input.Wrong("missing_required_parameter", $"'{input.Place}' is empty; expected {Expected}.");
    }

    private static WireValue Resolved(WireValue item, Func<string, JsonElement?> find)
    {
        if (Kind(item) != "item_reference")
            return item;
        WireValue id = item["id"].Needed("the id of a stored item");
        return find(id.Text()!) is { } there
            ? new WireValue(there, item.Place)
            : throw id.WrongValue("the id of an item that is stored here", Fault.Quote(id.Text()!));
    }

    // An item without a type is a message, or a reference that has an id alone.
    private static string Kind(WireValue item) =>
        item.Needed("an item")["type"].Text()
        ?? (item["role"].IsAbsent && item["content"].IsAbsent && item["id"].IsText ? "item_reference" : "message");

    private static string Speaker(WireValue item, string kind) =>
        kind switch
        {
            "message" => item["role"].Needed($"one of {string.Join(", ", Roles)}").Word(Roles)!,
            "function_call_output" or "custom_tool_call_output" => "tool",
            _ => "assistant",
        };

    private void Add(WireValue item, string kind, bool refusesOthers)
    {
        switch (kind)
        {
            case "message" when item["role"].Text() == "assistant":
                AddText(item);
                break;
            case "message":
                _calls.Close();
                ChatRole role = item["role"].Text() == "user" ? ChatRole.User : ChatRole.System;
                AddOther(role, TextParts.Read(item["content"], refusesOthers));
                break;
            case "reasoning":
                if (Reasoning(item) is { Length: > 0 } reasoning)
                    AddToAnswer(new TextReasoningContent(reasoning), Number(item));
                break;
            case "function_call" or "custom_tool_call":
                AddToAnswer(Call(item, kind), Number(item));
                _isOver = true;
                break;
            case "function_call_output" or "custom_tool_call_output":
                string id = _calls.Take(item["call_id"]).Id;
                string result = TextParts.Read(item["output"], refusesOthers: false);
                _messages.Add(new ChatMessage(ChatRole.Tool, [new FunctionResultContent(id, result)]));
                _answer = null;
                break;
            default:
                _ignored.Add(kind);
                break;
        }
    }

    private void AddOther(ChatRole role, string text)
    {
        _messages.Add(new ChatMessage(role, text));
        _answer = null;
    }

    private void AddText(WireValue item)
    {
        WireValue content = item["content"];
        string text = content.IsAbsent ? "" : TextParts.Read(content, refusesOthers: false);
        bool isFinal = item["phase"].Text() == "final_answer";
        if (text.Length > 0)
            AddToAnswer(new TextContent(text), Number(item));
        _isOver |= isFinal;
    }

    private static string? Number(WireValue item) =>
        ItemIds.NumberOf(item["id"].Text()) ?? ItemIds.NumberOf(item["call_id"].Text());

    /// <summary>Adds what the model did to the answer that it belongs to.</summary>
    /// <param name="content">The reasoning, the text or the call.</param>
    /// <param name="number">The number of the answer; null where the client has dropped the ids.</param>
    private void AddToAnswer(AIContent content, string? number)
    {
        string? messageId = number is null ? null : $"gptoss-{number}";
        bool isSame = messageId is not null && messageId == _answer?.MessageId,
            isOther = messageId is not null && _answer?.MessageId is not null && !isSame;
        // Further calls of the same turn stand directly behind the first.
        bool isNext = _isOver && !(content is FunctionCallContent && _answer?.Contents[^1] is FunctionCallContent);
        if (_answer is null || isOther || (isNext && !isSame))
        {
            _answer = new ChatMessage(ChatRole.Assistant, new List<AIContent>());
            _messages.Add(_answer);
            _isOver = false;
        }
        _answer.MessageId ??= messageId;
        if (content is TextContent text && _answer.Contents.LastOrDefault() is TextContent)
            text.Text = ItemIds.Border + text.Text;
        _answer.Contents.Add(content);
    }

    private FunctionCallContent Call(WireValue item, string kind)
    {
        WireValue field = item["name"];
        string name = AskedTools.Full(item["namespace"].Text(), field.Needed("the name of the tool").Text()!);
        if (!AskedTools.IsName(name))
            throw field.WrongValue("1 to 128 letters, digits, '_', '.' or '-'", Fault.Quote(name));
        _calls.Add(item["call_id"], name);
        string id = item["call_id"].Text()!;
        return kind == "function_call"
            ? AskedCalls.Written(id, name, item["arguments"].Text() ?? "")
            : AskedCalls.Freeform(id, name, item["input"].Text() ?? "");
    }

    // Another server's ciphertext says nothing here; another model's summary is not what this one thought.
    private static string? Reasoning(WireValue item)
    {
        if (item["encrypted_content"].Text() is { } text && SealedReasoning.Open(text) is { } own)
            return own;
        if (Parts(item["content"]) is { Length: > 0 } words)
            return words;
        return ItemIds.NumberOf(item["id"].Text()) is null ? null : Parts(item["summary"]);
    }

    private static string Parts(WireValue list) =>
        string.Join('\n', list.Items(Most, "a list of parts").Select(part => part.Needed("a part")["text"].Text()));
}
