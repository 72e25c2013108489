using GptOss.AspNetCore.Answers;
using GptOss.AspNetCore.Faults;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Requests;

/// <summary>Reads the messages of Anthropic's API, each a text or a list of blocks.</summary>
/// <remarks>
/// Results of tools are blocks of the user's message, before what the user says. What the model did lies in blocks of
/// the assistant's, and several messages of the assistant in a row are one answer.
/// </remarks>
internal sealed class MessagesHistory
{
    // All results of an answer's calls lie in one message.
    private const int MostBlocks = AskedCalls.Most;

    private const string Blocks = "a string or a list of blocks",
        BillingHeader = "x-anthropic-billing-header:";

    private static readonly string[] Roles = ["user", "assistant", "system"];

    private readonly List<ChatMessage> _messages = [];
    private readonly OpenCalls _calls = new();
    private readonly AskedTools _tools;
    private readonly ISet<string> _ignored;
    private readonly Dictionary<string, string> _definitions = [];
    private readonly long _mostBytes;
    private long _defined;

    private MessagesHistory(AskedTools tools, ISet<string> ignored, long mostBytes) =>
        (_tools, _ignored, _mostBytes) = (tools, ignored, mostBytes);

    /// <summary>The conversation, oldest message first.</summary>
    /// <param name="system">The field <c>system</c>, which comes before all messages.</param>
    /// <param name="list">The field <c>messages</c> of the request.</param>
    /// <param name="tools">The tools of the request, which results may refer to.</param>
    /// <param name="ignored">Gets the kinds of blocks that are passed over.</param>
    /// <param name="mostBytes">The most bytes of the tools' descriptions that blocks refer to.</param>
    /// <exception cref="FaultException">A message is wrong, or a call and its results do not fit.</exception>
    public static IReadOnlyList<ChatMessage> Read(
        WireValue system,
        WireValue list,
        AskedTools tools,
        ISet<string> ignored,
        long mostBytes
    )
    {
        IReadOnlyList<WireValue> items = ChatHistory.Items(list);
        var history = new MessagesHistory(tools, ignored, mostBytes);
        if (!system.IsAbsent)
            history.AddSystem(system);
        int awaited = Awaited(items);
        for (int i = 0; i < items.Count; i++)
        {
            WireValue content = items[i]["content"];
            switch (Role(items[i]))
            {
                case "user":
                    history.AddUser(content, refusesOthers: i == awaited);
                    break;
                case "assistant":
                    history.AddAnswer(content);
                    break;
                default:
                    history.AddSystem(content.Needed(Blocks));
                    break;
            }
        }
        history._calls.Close();
        return history._messages;
    }

    private static string Role(WireValue message) =>
        message.Needed("a message")["role"].Needed($"one of {string.Join(", ", Roles)}").Word(Roles)!;

    private static string Kind(WireValue block) =>
        block.Needed("a block")["type"].Needed("the kind of the block").Text()!;

    /// <summary>The message whose pictures somebody waits for to be read; −1 for none.</summary>
    private static int Awaited(IReadOnlyList<WireValue> items)
    {
        var speakers = new List<(string Role, int Message)>();
        for (int i = 0; i < items.Count; i++)
        {
            string role = Role(items[i]);
            WireValue content = items[i]["content"];
            bool hasResult =
                role == "user"
                && content.IsList
                && content.Items(MostBlocks).Any(block => Kind(block) == "tool_result");
            if (hasResult)
                speakers.Add(("tool", i));
            if (role != "system")
                speakers.Add((role, i));
        }
        int at = ChatHistory.Awaited([.. speakers.Select(speaker => speaker.Role)]);
        return at < 0 ? -1 : speakers[at].Message;
    }

    // A coding agent's first block differs from request to request: in the prompt it would cost all that is cached.
    private void AddSystem(WireValue content)
    {
        string text = content.IsText
            ? content.Text()!
            : string.Join(
                '\n',
                content
                    .Items(MostBlocks, Blocks)
                    .Select(block => TextParts.Part(block, refusesOthers: false))
                    .Where(text => !text.StartsWith(BillingHeader, StringComparison.Ordinal))
            );
        if (text.Length > 0)
            _messages.Add(new ChatMessage(ChatRole.System, text));
    }

    private void AddUser(WireValue content, bool refusesOthers)
    {
        if (content.Needed(Blocks).IsText)
        {
            Say(content.Text()!);
            return;
        }
        var texts = new List<string>();
        IReadOnlyList<WireValue> blocks = content.Items(MostBlocks, Blocks);
        foreach (WireValue block in blocks)
        {
            if (Kind(block) == "tool_result")
                AddResult(block);
            else
                texts.Add(Text(block, refusesOthers));
        }
        if (texts.Count > 0 || blocks.Count == 0)
            Say(string.Join('\n', texts));
    }

    private void Say(string text)
    {
        _calls.Close();
        _messages.Add(new ChatMessage(ChatRole.User, text));
    }

    private void AddResult(WireValue block)
    {
        string id = _calls.Take(block["tool_use_id"]).Id,
            text = Result(block["content"]);
        if (block["is_error"].Flag() == true)
            text = $"Error: {text}";
        _messages.Add(new ChatMessage(ChatRole.Tool, [new FunctionResultContent(ToolUseIds.CallOf(id), text)]));
    }

    private string Result(WireValue content) =>
        content.IsAbsent ? ""
        : content.IsText ? content.Text()!
        : string.Join('\n', content.Items(MostBlocks, Blocks).Select(block => Text(block, refusesOthers: false)));

    private string Text(WireValue block, bool refusesOthers) =>
        Kind(block) switch
        {
            "tool_reference" => Definition(block["tool_name"]),
            "document" when block["source"]["type"].Text() == "text" => block["source"]
                ["data"]
                .Needed("the text of the document")
                .Text()!,
            _ => TextParts.Part(block, refusesOthers),
        };

    // A tool that was searched for and found; at the top of the prompt it would change all that was read behind it.
    // Each tool is described once, and each reference counts: a block of 50 bytes may stand for a text of 400,000.
    private string Definition(WireValue field)
    {
        string name = field.Needed("the name of a tool").Text()!;
        if (_tools.Find(name) is not { } tool)
            return $"[{Fault.Quote(name)} omitted: it is no tool of this request]";
        if (!_definitions.TryGetValue(name, out string? definition))
            _definitions[name] = definition = GptOssChatClient.Describe(tool.Declaration);
        _defined += definition.Length;
        return _defined <= _mostBytes
            ? definition
            : throw new FaultException(KnownFaults.TooLargeReferences(_mostBytes));
    }

    private void AddAnswer(WireValue content)
    {
        if (_messages.LastOrDefault() is not { } last || last.Role != ChatRole.Assistant)
        {
            _calls.Close();
            last = new ChatMessage(ChatRole.Assistant, new List<AIContent>());
            _messages.Add(last);
        }
        if (content.IsText)
        {
            AddText(last.Contents, content.Text()!);
            return;
        }
        foreach (WireValue block in content.Items(MostBlocks, Blocks))
        {
            switch (Kind(block))
            {
                case "text":
                    AddText(last.Contents, block["text"].Needed("the text of the block").Text()!);
                    break;
                case "thinking":
                    if (Reasoning(block) is { Length: > 0 } reasoning)
                        last.Contents.Add(new TextReasoningContent(reasoning));
                    break;
                case "redacted_thinking":
                    break;
                case "tool_use":
                    last.Contents.Add(Call(block));
                    break;
                case var other:
                    _ignored.Add(other);
                    break;
            }
        }
    }

    private static void AddText(IList<AIContent> contents, string text)
    {
        if (text.Length > 0)
            contents.Add(new TextContent(contents.LastOrDefault() is TextContent ? "\n" + text : text));
    }

    // What another model thought, which its signature tells, is not what this one thought.
    private static string? Reasoning(WireValue block) =>
        block["signature"].Text() is { Length: > 0 } signature
            ? SealedReasoning.Open(signature)
            : block["thinking"].Text();

    private FunctionCallContent Call(WireValue block)
    {
        WireValue name = block["name"],
            input = block["input"];
        if (!AskedTools.IsName(name.Needed("the name of the tool").Text()!))
            throw name.WrongValue("1 to 128 letters, digits, '_', '.' or '-'", Fault.Quote(name.Text()!));
        _calls.Add(block["id"], name.Text()!);
        return AskedCalls.Written(ToolUseIds.CallOf(block["id"].Text()!), name.Text()!, Written(input));
    }

    // What was no object is a member of one in this dialect alone.
    private static string Written(WireValue input)
    {
        (string Name, WireValue Value)[] members = [.. input.Members("an object of arguments").Take(2)];
        return members is [(ToolInput.RawMember, { IsText: true } raw)] ? raw.Text()!
            : input.IsAbsent ? "{}"
            : input.Raw();
    }
}
