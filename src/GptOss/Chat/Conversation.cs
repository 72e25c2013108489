using System.Text;
using GptOss.Harmony;
using GptOss.Tokenization;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>A caller's messages as messages of Harmony.</summary>
/// <remarks>
/// The texts of a system are instructions of the developer's message. What the assistant said is put together by
/// <see cref="SplitAnswers"/> and read by <see cref="AnswerReader"/>. The names of users stand in their headers; the
/// assistant's do not, since the model begins its own turns without one and shall find them so. Each result stands
/// right behind its call, whose id it names, as the model was trained; one without a call stays where it is, and a call
/// without a result is left out. Contents that are not for this model are passed over; only a picture, sound or file
/// that a user wants read is refused.
/// </remarks>
internal sealed class Conversation
{
    private const string UnknownFunction = ToolNames.FunctionsPrefix + "unknown";

    private static readonly ChatRole Developer = new("developer");

    private readonly OfferedTools _tools;
    private readonly Tokenizer _tokenizer;
    private readonly AnswerMemory? _memory;
    private readonly List<HarmonyMessage> _messages = [];
    private readonly List<string> _passedOver = [];
    private readonly Dictionary<FunctionCallContent, Queue<List<FunctionResultContent>>> _results = new(
        ReferenceEqualityComparer.Instance
    ); // for each time that the call stands in the history
    private readonly HashSet<FunctionResultContent> _answered = new(ReferenceEqualityComparer.Instance);

    private Conversation(OfferedTools tools, Tokenizer tokenizer, AnswerMemory? memory)
    {
        _tools = tools;
        _tokenizer = tokenizer;
        _memory = memory;
    }

    /// <summary>The messages of Harmony.</summary>
    public IReadOnlyList<HarmonyMessage> Messages => _messages;

    /// <summary>What was left out, each as the kind of its content and the role of its message: for the log.</summary>
    public IReadOnlyList<string> PassedOver => _passedOver;

    /// <param name="history">The caller's messages.</param>
    /// <param name="system">What the model is told about itself.</param>
    /// <param name="developer">Functions and forms; its instructions come before those of the history.</param>
    /// <param name="tools">The functions' names.</param>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="memory">Gives back what a caller dropped of earlier answers; null to take the history as it
    /// is.</param>
    /// <exception cref="ArgumentException">A message is null, or holds null.</exception>
    /// <exception cref="NotSupportedException">
    /// A user's message holds a picture, sound or file, or a message is of an unknown role.
    /// </exception>
    public static Conversation From(
        IReadOnlyList<ChatMessage> history,
        HarmonyContent.SystemInfo system,
        HarmonyContent.DeveloperInfo developer,
        OfferedTools tools,
        Tokenizer tokenizer,
        AnswerMemory? memory
    )
    {
        ThrowIfNull(history);
        var conversation = new Conversation(tools, tokenizer, memory);
        conversation.MatchResults(history);
        int first = 0;
        while (first < history.Count && IsInstruction(history[first]))
            first++;
        string[] instructions =
        [
            .. new[] { developer.Instructions }.OfType<string>(),
            .. history
                .Take(first)
                .Select((message, i) => conversation.Text(message, i))
                .OfType<string>()
                .Where(text => text.Length > 0),
        ];
        conversation._messages.Add(new HarmonyMessage(HarmonyRole.System, [system]));
        if (instructions.Length > 0 || developer.Tools.Count > 0 || developer.ResponseFormats.Count > 0)
        {
            conversation._messages.Add(
                new HarmonyMessage(
                    HarmonyRole.Developer,
                    [
                        developer with
                        {
                            Instructions = instructions.Length > 0 ? string.Join("\n\n", instructions) : null,
                        },
                    ]
                )
            );
        }
        foreach ((ChatMessage message, int index) in SplitAnswers.Join([.. history.Skip(first)]))
            conversation.Add(message, first + index);
        return conversation;
    }

    private static bool IsInstruction(ChatMessage message) =>
        message.Role == ChatRole.System || message.Role == Developer;

    // A role that was never set has no word.
    private static string RoleOf(ChatMessage message) => Printable.Name(message.Role.Value ?? "");

    private static string Place(ChatMessage message, int index) => $"Message {index + 1} ({RoleOf(message)})";

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

    /// <summary>
    /// Finds for each call of the assistant the results that name its id, before another message calls by that id.
    /// </summary>
    /// <remarks>
    /// Some providers give calls no ids, or all the same: within a message, results of one id are dealt out in order.
    /// </remarks>
    private void MatchResults(IReadOnlyList<ChatMessage> history)
    {
        var open = new Dictionary<string, (int Message, int Next, List<List<FunctionResultContent>> Calls)>();
        for (int i = 0; i < history.Count; i++)
        {
            foreach (AIContent content in history[i].Contents)
            {
                if (content is FunctionCallContent call && history[i].Role == ChatRole.Assistant)
                {
                    if (!open.TryGetValue(call.CallId, out var same) || same.Message != i)
                        open[call.CallId] = same = (i, 0, []);
                    same.Calls.Add([]);
                    if (!_results.TryGetValue(call, out var times))
                        _results[call] = times = new();
                    times.Enqueue(same.Calls[^1]);
                }
                else if (content is FunctionResultContent result && open.TryGetValue(result.CallId, out var called))
                {
                    called.Calls[Math.Min(called.Next, called.Calls.Count - 1)].Add(result);
                    open[result.CallId] = called with { Next = called.Next + 1 };
                    _answered.Add(result);
                }
            }
        }
    }

    private void Add(ChatMessage message, int index)
    {
        if (IsInstruction(message))
        {
            if (Text(message, index) is { Length: > 0 } text)
            {
                var instructions = new HarmonyContent.DeveloperInfo { Instructions = text };
                _messages.Add(new HarmonyMessage(HarmonyRole.Developer, [instructions]));
            }
        }
        else if (message.Role == ChatRole.Assistant)
            AddAssistant(message);
        else if (message.Role == ChatRole.User)
        {
            AddStrayResults(message.Contents);
            if (Text(message, index) is { } text)
                _messages.Add(new HarmonyMessage(HarmonyRole.User, text) { Name = Author(message.AuthorName) });
        }
        else if (message.Role == ChatRole.Tool)
            AddTool(message);
        else
        {
            throw new NotSupportedException(
                $"Message {index + 1} is of the role '{RoleOf(message)}', which is not supported: "
                    + "the roles are system, developer, user, assistant and tool."
            );
        }
    }

    /// <summary>
    /// A person's name as one word of a header, where white space and signs would end it or mean something else.
    /// </summary>
    private static string? Author(string? name) =>
        string.IsNullOrWhiteSpace(name)
            ? null
            : string.Concat(
                name.Trim()
                    .EnumerateRunes()
                    .Select(rune => Rune.IsLetterOrDigit(rune) || rune.Value is '-' or '.' ? rune.ToString() : "_")
            );

    private void AddAssistant(ChatMessage message)
    {
        IReadOnlyList<AnswerPart>? parts = AnswerPart.Of(message);
        IReadOnlyList<SpokenMessage> spoken = _memory?.Find(message)
            ?? AnswerReader.Read(message.Contents, parts, _tokenizer);
        foreach (SpokenMessage said in spoken)
        {
            if (said.Call is { } call)
                AddCall(call, said);
            else
            {
                _messages.Add(
                    new HarmonyMessage(HarmonyRole.Assistant, said.Text)
                    {
                        Channel = said.Channel,
                        ContentTokens = said.Tokens,
                    }
                );
            }
        }
        AddStrayResults(message.Contents);
    }

    /// <summary>
    /// A call with its results. One that has none was broken off, or never carried out: the model need not know of it.
    /// </summary>
    private void AddCall(FunctionCallContent call, SpokenMessage said)
    {
        if (!_results.TryGetValue(call, out var times) || !times.TryDequeue(out var results) || results.Count == 0)
            return;
        string recipient = _tools.Recipient(call.Name);
        bool isFunction = recipient.StartsWith(ToolNames.FunctionsPrefix, StringComparison.Ordinal);
        var message = new HarmonyMessage(HarmonyRole.Assistant, said.Text)
        {
            Recipient = recipient,
            Channel = isFunction ? said.Channel : ChannelNames.Analysis,
            ContentType = isFunction ? said.Type : "code",
            ContentTokens = said.Tokens,
        };
        _messages.Add(message);
        foreach (FunctionResultContent result in results)
            AddResult(ResultText.Of(result), recipient, message.Channel);
    }

    /// <summary>What a tool's message says beside results is a result without a call.</summary>
    private void AddTool(ChatMessage message)
    {
        AddStrayResults(message.Contents);
        foreach (AIContent content in message.Contents)
        {
            if (content is TextContent or DataContent or UriContent && ResultText.Of(content) is { Length: > 0 } text)
                AddResult(text, UnknownFunction, ChannelNames.Commentary);
            else if (content is not FunctionResultContent)
                Pass(content, message);
        }
    }

    /// <summary>A result whose call the history does not hold still says something.</summary>
    private void AddStrayResults(IEnumerable<AIContent> contents)
    {
        foreach (FunctionResultContent result in contents.OfType<FunctionResultContent>())
        {
            if (!_answered.Contains(result))
                AddResult(ResultText.Of(result), UnknownFunction, ChannelNames.Commentary);
        }
    }

    private void AddResult(string text, string function, string? channel) =>
        _messages.Add(
            new HarmonyMessage(HarmonyRole.Tool, text)
            {
                Name = function,
                Recipient = HarmonyRole.Assistant.Word(),
                Channel = channel,
            }
        );

    /// <summary>
    /// The text of a user's or a system's message; null if nothing is left of it beside what is passed over.
    /// </summary>
    /// <exception cref="NotSupportedException">A user wants a picture, sound or file read.</exception>
    private string? Text(ChatMessage message, int index)
    {
        var text = new StringBuilder();
        bool isPassedOver = false;
        bool endsAttachment = false;
        foreach (AIContent content in message.Contents)
        {
            string? attached =
                (content as DataContent) is { } data && MediaText.Of(data) is { } words
                    ? (string.IsNullOrEmpty(data.Name) ? words : $"{data.Name}:\n{words}")
                    : null;
            string spoken = attached ?? (content as TextContent)?.Text ?? "";
            if (spoken.Length > 0)
            {
                // What is attached stands apart from what is said.
                if (text.Length > 0 && (attached is not null || endsAttachment))
                    text.Append("\n\n");
                text.Append(spoken);
                endsAttachment = attached is not null;
            }
            else if (content is DataContent or UriContent && attached is null && message.Role == ChatRole.User)
                throw Unsupported.Content(content, Place(message, index));
            else if (content is not TextContent)
            {
                isPassedOver |= content is not UsageContent;
                if (content is not FunctionResultContent)
                    Pass(content, message);
            }
        }
        return text.Length > 0 || !isPassedOver ? text.ToString() : null;
    }

    /// <summary>
    /// Notes what is not for this model: contents of other providers, and what clients say to one another.
    /// </summary>
    private void Pass(AIContent content, ChatMessage message)
    {
        if (content is not (TextContent or UsageContent) && content.GetType() != typeof(AIContent))
            _passedOver.Add($"{content.GetType().Name} ({message.Role})");
    }
}
