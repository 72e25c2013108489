using GptOss.AspNetCore.Faults;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Requests;

/// <summary>Reads the messages of Chat Completions.</summary>
internal static class ChatHistory
{
    private const int Most = 10_000,
        LongestName = 256;

    private static readonly string[] Roles = ["system", "developer", "user", "assistant", "tool"];

    /// <summary>The conversation, oldest message first.</summary>
    /// <exception cref="FaultException">A message is wrong, or a call and its results do not fit.</exception>
    public static IReadOnlyList<ChatMessage> Read(WireValue list)
    {
        IReadOnlyList<WireValue> items = Items(list);
        string[] roles = [.. items.Select(Role)];
        int awaited = Awaited(roles);
        var calls = new OpenCalls();
        var messages = new List<ChatMessage>(items.Count);
        for (int i = 0; i < items.Count; i++)
        {
            if (roles[i] != "tool")
                calls.Close();
            WireValue content = items[i]["content"];
            messages.Add(
                roles[i] switch
                {
                    "user" => new(ChatRole.User, TextParts.Read(content, refusesOthers: i == awaited))
                    {
                        AuthorName = items[i]["name"].Text(LongestName),
                    },
                    "assistant" => Assistant(items[i], content, calls),
                    "tool" => new(ChatRole.Tool, [Result(items[i], content, calls)]),
                    _ => new(ChatRole.System, TextParts.Read(content, refusesOthers: false)),
                }
            );
        }
        calls.Close();
        return messages;
    }

    /// <summary>The messages of a list that has some.</summary>
    /// <exception cref="FaultException">The list is missing, empty or too long.</exception>
    public static IReadOnlyList<WireValue> Items(WireValue list)
    {
        const string Expected = "a list of messages";
        IReadOnlyList<WireValue> items = list.Needed(Expected).Items(Most, Expected);
        return items.Count > 0
            ? items
            : throw list.Wrong("missing_required_parameter", $"'{list.Place}' is empty; expected {Expected}.");
    }

    private static string Role(WireValue message)
    {
        WireValue role = message.Needed("a message")["role"].Needed($"one of {string.Join(", ", Roles)}");
        return role.Text() == "function"
            ? throw role.NotOffered("should not be 'function', the older form of 'tool': use that.")
            : role.Word(Roles)!;
    }

    /// <summary>
    /// The newest message of the user, where nobody but the user spoke since the last answer; −1 where it belongs to a
    /// tool's result.
    /// </summary>
    public static int Awaited(string[] roles)
    {
        int newest = Array.LastIndexOf(roles, "user");
        int before = newest;
        while (before >= 0 && roles[before] == "user")
            before--;
        return before >= 0 && roles[before] == "tool" ? -1 : newest;
    }

    private static ChatMessage Assistant(WireValue message, WireValue content, OpenCalls calls)
    {
        var contents = new List<AIContent>();
        if ((message["reasoning"].Text() ?? message["reasoning_content"].Text()) is { Length: > 0 } reasoning)
            contents.Add(new TextReasoningContent(reasoning));
        if (!content.IsAbsent && TextParts.Read(content, refusesOthers: false) is { Length: > 0 } text)
            contents.Add(new TextContent(text));
        foreach (WireValue call in message["tool_calls"].Items(AskedCalls.Most, "a list of calls"))
            contents.Add(Call(call.Needed("a call"), calls));
        return new ChatMessage(ChatRole.Assistant, contents);
    }

    private static FunctionCallContent Call(WireValue call, OpenCalls calls)
    {
        string type = call["type"].Word("function", "custom") ?? "function";
        WireValue about = call[type].Needed("what was called"),
            name = about["name"];
        if (!AskedTools.IsName(name.Needed("the name of the tool").Text()!))
            throw name.WrongValue("1 to 128 letters, digits, '_', '.' or '-'", Fault.Quote(name.Text()!));
        calls.Add(call["id"], name.Text()!);
        return type == "custom"
            ? AskedCalls.Freeform(call["id"].Text()!, name.Text()!, about["input"].Text() ?? "")
            : AskedCalls.Written(call["id"].Text()!, name.Text()!, about["arguments"].Text() ?? "");
    }

    private static FunctionResultContent Result(WireValue message, WireValue content, OpenCalls calls) =>
        new(calls.Take(message["tool_call_id"]).Id, TextParts.Read(content, refusesOthers: false));
}
