using System.Text;
using GptOss.Harmony;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>A caller's messages as messages of Harmony.</summary>
/// <remarks>
/// The texts of a system are instructions of the developer's message. Of the assistant, reasoning is <c>analysis</c>, text
/// before a call is <c>commentary</c> and other text is <c>final</c>. The names of users stand in their headers; the
/// assistant's do not, since the model begins its own turns without one and shall find them so. Each result stands right behind its call, whose id it
/// names, as the model was trained; one without a call stays where it is. An answer that the memory knows is given in the
/// model's own tokens.
/// </remarks>
internal sealed class Conversation
{
    private static readonly ChatRole Developer = new("developer");

    private readonly OfferedTools _tools;
    private readonly TurnMemory _memory;
    private readonly List<HarmonyMessage> _messages = [];
    private readonly Dictionary<FunctionCallContent, List<FunctionResultContent>> _results =
        new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<FunctionResultContent> _answered = new(ReferenceEqualityComparer.Instance);

    private Conversation(OfferedTools tools, TurnMemory memory)
    {
        _tools = tools;
        _memory = memory;
    }

    /// <param name="history">The caller's messages.</param>
    /// <param name="system">What the model is told about itself.</param>
    /// <param name="developer">Functions and forms; its instructions come before those of the history.</param>
    /// <param name="tools">The functions' names.</param>
    /// <param name="memory">Earlier answers.</param>
    /// <exception cref="ArgumentException">A message is null, or holds null.</exception>
    /// <exception cref="NotSupportedException">A message holds something else than text, or is of an unknown role.</exception>
    public static IReadOnlyList<HarmonyMessage> From(
        IReadOnlyList<ChatMessage> history, HarmonyContent.SystemInfo system, HarmonyContent.DeveloperInfo developer,
        OfferedTools tools, TurnMemory memory)
    {
        ThrowIfNull(history);
        var conversation = new Conversation(tools, memory);
        conversation.MatchResults(history);
        int first = 0;
        while (first < history.Count && IsInstruction(history[first]))
            first++;
        string[] instructions =
        [
            .. new[] { developer.Instructions }.OfType<string>(),
            .. history.Take(first).Select(TextOf).Where(text => text.Length > 0),
        ];
        conversation._messages.Add(new HarmonyMessage(HarmonyRole.System, [system]));
        if (instructions.Length > 0 || developer.Tools.Count > 0 || developer.ResponseFormats.Count > 0)
        {
            conversation._messages.Add(new HarmonyMessage(HarmonyRole.Developer,
            [
                developer with { Instructions = instructions.Length > 0 ? string.Join("\n\n", instructions) : null },
            ]));
        }
        for (int i = first; i < history.Count; i++)
            conversation.Add(history[i], i);
        return conversation._messages;

        string TextOf(ChatMessage message, int index) => Text(message.Contents, Place(message, index));
    }

    private static bool IsInstruction(ChatMessage message) =>
        message.Role == ChatRole.System || message.Role == Developer;

    private static string Place(ChatMessage message, int index) => $"Message {index + 1} ({Printable.Name(message.Role.Value)})";

    private static void ThrowIfNull(IReadOnlyList<ChatMessage> history)
    {
        for (int i = 0; i < history.Count; i++)
        {
            if (history[i] is not { } message)
                throw new ArgumentException($"Message {i + 1} is null.");
            if (message.Contents.Any(content => content is null))
                throw new ArgumentException($"{Place(message, i)} holds null.");
        }
    }

    /// <summary>Finds for each call the results that name its id, before another call of that id.</summary>
    private void MatchResults(IReadOnlyList<ChatMessage> history)
    {
        var open = new Dictionary<string, List<FunctionResultContent>>();
        foreach (AIContent content in history.SelectMany(message => message.Contents))
        {
            if (content is FunctionCallContent call)
            {
                open[call.CallId] = [];
                _results[call] = open[call.CallId];
            }
            else if (content is FunctionResultContent result && open.TryGetValue(result.CallId, out var results))
            {
                results.Add(result);
                _answered.Add(result);
            }
        }
    }

    private void Add(ChatMessage message, int index)
    {
        if (IsInstruction(message))
        {
            string text = Text(message.Contents, Place(message, index));
            if (text.Length > 0)
            {
                var instructions = new HarmonyContent.DeveloperInfo { Instructions = text };
                _messages.Add(new HarmonyMessage(HarmonyRole.Developer, [instructions]));
            }
        }
        else if (message.Role == ChatRole.Assistant)
        {
            if (_memory.Find(message) is { } said)
                AddSaid(said, message.Contents);
            else
                AddAssistant(message.Contents, Place(message, index));
        }
        else if (message.Role == ChatRole.User)
        {
            AddStrayResults(message.Contents);
            bool isOnlyResults = message.Contents.Count > 0 && message.Contents.All(c => c is FunctionResultContent);
            if (!isOnlyResults)
            {
                _messages.Add(new HarmonyMessage(HarmonyRole.User, Text(message.Contents, Place(message, index)))
                {
                    Name = Author(message.AuthorName),
                });
            }
        }
        else if (message.Role == ChatRole.Tool)
            AddTool(message, index);
        else
        {
            throw new NotSupportedException($"Message {index + 1} is of the role '{Printable.Name(message.Role.Value)}', which is not supported: "
                + "the roles are system, developer, user, assistant and tool.");
        }
    }

    /// <summary>A person's name as one word of a header, where white space and signs would end it or mean something else.</summary>
    private static string? Author(string? name) => string.IsNullOrWhiteSpace(name)
        ? null
        : string.Concat(name.Trim().EnumerateRunes().Select(
            rune => Rune.IsLetterOrDigit(rune) || rune.Value is '-' or '.' ? rune.ToString() : "_"));

    private void AddSaid(IReadOnlyList<HarmonyMessage> said, IList<AIContent> contents)
    {
        using IEnumerator<FunctionCallContent> calls = contents.OfType<FunctionCallContent>().GetEnumerator();
        foreach (HarmonyMessage message in said)
        {
            _messages.Add(message);
            if (message.IsCall && calls.MoveNext())
                AddResults(message, calls.Current);
        }
        AddStrayResults(contents);
    }

    private void AddAssistant(IList<AIContent> contents, string place)
    {
        int calls = contents.Count(content => content is FunctionCallContent);
        var text = new StringBuilder();
        string? channel = null;
        foreach (AIContent content in contents)
        {
            string? next = content switch
            {
                TextReasoningContent => ChannelNames.Analysis,
                TextContent => calls > 0 ? ChannelNames.Commentary : ChannelNames.Final,
                _ => null,
            };
            if (next is null && IsNoSpeech(content))
                continue;
            if (next != channel)
                Close();
            channel = next;
            if (content is TextReasoningContent reasoning)
                text.Append(reasoning.Text);
            else if (content is TextContent spoken)
                text.Append(spoken.Text);
            else if (content is FunctionCallContent call)
            {
                calls--;
                AddCall(call);
            }
            else if (content is FunctionResultContent result)
                AddStrayResult(result);
            else
                throw Unsupported.Content(content, place);
        }
        Close();

        void Close()
        {
            if (text.Length > 0)
                _messages.Add(new HarmonyMessage(HarmonyRole.Assistant, text.ToString()) { Channel = channel });
            text.Clear();
        }
    }

    private void AddCall(FunctionCallContent call)
    {
        string recipient = _tools.Recipient(call.Name);
        bool isFunction = recipient.StartsWith(ToolNames.FunctionsPrefix, StringComparison.Ordinal);
        var message = new HarmonyMessage(HarmonyRole.Assistant, ToolText.Arguments(call))
        {
            Recipient = recipient,
            Channel = isFunction ? ChannelNames.Commentary : ChannelNames.Analysis,
            ContentType = isFunction ? SpecialTokens.ConstrainName + "json" : "code",
        };
        _messages.Add(message);
        AddResults(message, call);
    }

    private void AddResults(HarmonyMessage call, FunctionCallContent content)
    {
        foreach (FunctionResultContent result in _results.GetValueOrDefault(content, []))
            AddResult(result, call.Recipient!, call.Channel);
    }

    private void AddTool(ChatMessage message, int index)
    {
        AddStrayResults(message.Contents);
        foreach (AIContent content in message.Contents)
        {
            if (content is TextContent text)
            {
                if (text.Text.Length > 0)
                    AddStrayResult(new FunctionResultContent("", text.Text));
            }
            else if (content is not FunctionResultContent && !IsNoSpeech(content))
                throw Unsupported.Content(content, Place(message, index));
        }
    }

    private void AddStrayResults(IEnumerable<AIContent> contents)
    {
        foreach (FunctionResultContent result in contents.OfType<FunctionResultContent>())
            AddStrayResult(result);
    }

    /// <summary>A result whose call the history does not hold still says something.</summary>
    private void AddStrayResult(FunctionResultContent result)
    {
        if (!_answered.Contains(result))
            AddResult(result, ToolNames.FunctionsPrefix + "unknown", ChannelNames.Commentary);
    }

    private void AddResult(FunctionResultContent result, string function, string? channel) =>
        _messages.Add(new HarmonyMessage(HarmonyRole.Tool, ToolText.Result(result))
        {
            Name = function,
            Recipient = HarmonyRole.Assistant.Word(),
            Channel = channel,
        });

    private static string Text(IList<AIContent> contents, string place)
    {
        var text = new StringBuilder();
        foreach (AIContent content in contents)
        {
            if (content is TextContent spoken)
                text.Append(spoken.Text);
            else if (content is not FunctionResultContent && !IsNoSpeech(content))
                throw Unsupported.Content(content, place);
        }
        return text.ToString();
    }

    /// <summary>What other clients put into messages about them, not for the model.</summary>
    private static bool IsNoSpeech(AIContent content) =>
        content is UsageContent or ErrorContent || content.GetType() == typeof(AIContent);
}
