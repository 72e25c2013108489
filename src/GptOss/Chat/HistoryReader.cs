using System.Text.Json;
using GptOss.Harmony;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>Turns a conversation of <see cref="ChatMessage"/>s, of whatever shape, into Harmony messages.</summary>
internal sealed class HistoryReader(OfferedTools tools, SpokenTurns spoken)
{
    private readonly Dictionary<string, string> _recipients = [];

    /// <summary>The developer message, if anything is in it, and all others.</summary>
    public List<HarmonyMessage> Read(
        IReadOnlyList<ChatMessage> messages, string? instructions, OfferedTools offered, ChatResponseFormat? format)
    {
        // What a caller calls system is Harmony's developer: the leading ones are one message, later ones stay where they are.
        int leading = 0;
        while (leading < messages.Count && IsSystem(messages[leading])) leading++;
        string?[] parts = [instructions, .. messages.Take(leading).Select(TextOf)];
        string all = string.Join("\n\n", parts.Where(part => !string.IsNullOrEmpty(part)));

        var result = new List<HarmonyMessage>();
        ResponseFormat[] formats = Formats(format);
        if (all.Length > 0 || offered.Functions.Count > 0 || formats.Length > 0)
            result.Add(Developer(new HarmonyContent.DeveloperInfo
            {
                Instructions = all.Length > 0 ? all : null,
                Tools = offered.Functions.Count > 0 ? [new ToolNamespace(ToolNamespace.FunctionsName, null, offered.Functions)] : [],
                ResponseFormats = formats,
            }));
        foreach (ChatMessage message in messages.Skip(leading)) Add(message, result);
        return result;
    }

    private void Add(ChatMessage message, List<HarmonyMessage> result)
    {
        if (IsSystem(message))
        {
            if (TextOf(message) is { Length: > 0 } text)
                result.Add(Developer(new HarmonyContent.DeveloperInfo { Instructions = text }));
            return;
        }

        bool isAssistant = message.Role == ChatRole.Assistant;
        int lastCall = LastIndex(message.Contents, content => content is FunctionCallContent);
        for (int i = 0; i < message.Contents.Count; i++)
        {
            switch (message.Contents[i])
            {
                case TextReasoningContent reasoning when isAssistant:
                    AddText(result, HarmonyRole.Assistant, ChannelNames.Analysis, reasoning.Text);
                    break;
                case TextReasoningContent:
                    break;
                case TextContent text when isAssistant:
                    AddText(result, HarmonyRole.Assistant, i < lastCall ? ChannelNames.Commentary : ChannelNames.Final, text.Text);
                    break;
                case TextContent text:
                    AddText(result, HarmonyRole.User, null, text.Text, message.AuthorName);
                    break;
                case FunctionCallContent call:
                    result.Add(Call(call));
                    break;
                case FunctionResultContent answer:
                    result.Add(Result(answer));
                    break;
                default:
                    Refuse(message.Contents[i]);
                    break;
            }
        }
    }

    private HarmonyMessage Call(FunctionCallContent call)
    {
        string recipient = tools.Recipient(call.Name), arguments = JsonText.Of(call.Arguments);
        _recipients[call.CallId] = recipient;
        return spoken.FindCall(call.CallId, call.Name, arguments) ?? new HarmonyMessage(HarmonyRole.Assistant, arguments)
        {
            Channel = ChannelNames.Commentary,
            Recipient = recipient,
            ContentType = SpecialTokens.ConstrainName + "json",
        };
    }

    // A result without its call still is one; the format only wants a name for it.
    private HarmonyMessage Result(FunctionResultContent result) =>
        new(HarmonyRole.Tool, result.Exception is { } error ? "Error: " + error.Message : JsonText.OfResult(result.Result))
        {
            Name = _recipients.GetValueOrDefault(result.CallId, ToolNames.FunctionsPrefix + "unknown"),
            Recipient = HarmonyRole.Assistant.Word(),
            Channel = ChannelNames.Commentary,
        };

    // Neighbouring texts of one kind are one message, as they were when they were said.
    private void AddText(List<HarmonyMessage> result, HarmonyRole role, string? channel, string? text, string? author = null)
    {
        if (string.IsNullOrEmpty(text)) return;
        var message = new HarmonyMessage(role, text) { Channel = channel, Name = author };
        result.Add(role == HarmonyRole.Assistant ? spoken.FindText(channel!, text) ?? message : message);
    }

    private static HarmonyMessage Developer(HarmonyContent.DeveloperInfo info) => new(HarmonyRole.Developer, [info]);

    private static bool IsSystem(ChatMessage message) => message.Role == ChatRole.System || message.Role.Value == "developer";

    private static string TextOf(ChatMessage message)
    {
        foreach (AIContent content in message.Contents)
            if (content is not TextContent)
                Refuse(content);
        return message.Text;
    }

    private static int LastIndex(IList<AIContent> contents, Func<AIContent, bool> isWanted)
    {
        int last = contents.Count - 1;
        while (last >= 0 && !isWanted(contents[last])) last--;
        return last;
    }

    // Counts and errors say nothing to a model; what it cannot see must not go missing silently.
    private static void Refuse(AIContent content)
    {
        string? what = content switch
        {
            DataContent data => $"DataContent of type '{data.MediaType}'",
            UriContent uri => $"UriContent of type '{uri.MediaType}'",
            UsageContent or ErrorContent or TextReasoningContent => null,
            _ => content.GetType().Name,
        };
        if (what is not null)
            throw new NotSupportedException($"A message holds {what}. gpt-oss reads text, calls of functions and their results only.");
    }

    private static ResponseFormat[] Formats(ChatResponseFormat? format) => format is not ChatResponseFormatJson json ? []
        : [new ResponseFormat(
            json.SchemaName ?? "response", json.SchemaDescription,
            json.Schema ?? JsonElement.Parse("""{"type":"object"}"""))];
}
