using System.Text;
using GptOss.Harmony;
using GptOss.Tokenization;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>
/// Translates a caller's history, messages of Microsoft.Extensions.AI, into messages of Harmony, the chat format that
/// gpt-oss was trained on.
/// </summary>
/// <remarks>
/// System messages at the beginning become instructions in the developer's message; later ones stay in their place.
/// Messages of the assistant are put together by <see cref="AnswerJoiner"/> and read by <see cref="AnswerReader"/>, or
/// taken from the model's <see cref="AnswerMemory"/> where one is given: then the translation depends on what this
/// model has said before, and not on the history alone. The names of users stand in their headers; the assistant's do
/// not, since the model begins its own turns without a name. Each result stands directly behind its call, as in the
/// model's training; a result without a call stays where it is, and a call without a result is left out. Contents that
/// are not for this model are passed over and noted; only a picture, sound or file that a user wants read is refused.
/// </remarks>
internal sealed class HistoryTranslator
{
    private const string UnknownFunction = ToolNames.FunctionsPrefix + "unknown";

    private static readonly ChatRole Developer = new("developer");

    private readonly OfferedTools _tools;
    private readonly Tokenizer _tokenizer;
    private readonly Func<ChatMessage, IReadOnlyList<SpokenMessage>?>? _recall;
    private readonly List<HarmonyMessage> _messages = [];
    private readonly List<string> _passedOver = [];
    private readonly ResultMatcher _results;

    private HistoryTranslator(
        IReadOnlyList<ChatMessage> history,
        OfferedTools tools,
        Tokenizer tokenizer,
        Func<ChatMessage, IReadOnlyList<SpokenMessage>?>? recall
    )
    {
        _tools = tools;
        _tokenizer = tokenizer;
        _recall = recall;
        _results = new ResultMatcher(history);
    }

    /// <summary>The history as messages of Harmony, the system's and the developer's message first.</summary>
    public IReadOnlyList<HarmonyMessage> Messages => _messages;

    /// <summary>
    /// The contents that were left out, for the log, such as <c>HostedFileContent (user)</c>: the kind of the content
    /// and the role of its message.
    /// </summary>
    public IReadOnlyList<string> PassedOver => _passedOver;

    /// <summary>Translates a whole history; the result holds the messages.</summary>
    /// <param name="history">The caller's messages, oldest first.</param>
    /// <param name="system">What the model is told about itself.</param>
    /// <param name="developer">Functions and forms; its instructions come before those of the history.</param>
    /// <param name="tools">Knows the names under which the model sees the functions.</param>
    /// <param name="tokenizer">The tokenizer of the model.</param>
    /// <param name="recall">Gives back what a caller dropped of an earlier answer; null to take the history as it
    /// is.</param>
    /// <exception cref="ArgumentException">A message is null, or holds null.</exception>
    /// <exception cref="NotSupportedException">
    /// A user's message holds a picture, sound or file, or a message is of an unknown role.
    /// </exception>
    public static HistoryTranslator Translate(
        IReadOnlyList<ChatMessage> history,
        HarmonyContent.SystemInfo system,
        HarmonyContent.DeveloperInfo developer,
        OfferedTools tools,
        Tokenizer tokenizer,
        Func<ChatMessage, IReadOnlyList<SpokenMessage>?>? recall
    )
    {
        ThrowIfNull(history);
        var translator = new HistoryTranslator(history, tools, tokenizer, recall);
        int first = 0;
        while (first < history.Count && IsInstruction(history[first]))
            first++;
        string[] instructions =
        [
            .. new[] { developer.Instructions }.OfType<string>(),
            .. history
                .Take(first)
                .Select((message, i) => translator.Text(message, i))
                .OfType<string>()
                .Where(text => text.Length > 0),
        ];
        translator._messages.Add(new HarmonyMessage(HarmonyRole.System, [system]));
        if (instructions.Length > 0 || developer.Tools.Count > 0 || developer.ResponseFormats.Count > 0)
        {
            translator._messages.Add(
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
        foreach ((ChatMessage message, int index) in AnswerJoiner.Join([.. history.Skip(first)]))
            translator.Add(message, first + index);
        return translator;
    }

    private static bool IsInstruction(ChatMessage message) =>
        message.Role == ChatRole.System || message.Role == Developer;

    // The word of a role that was never set is null.
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
    /// A user's name as one word of a header: what is neither letter nor digit, <c>-</c> nor <c>.</c> becomes
    /// <c>_</c>, since white space would end the word and other signs could mean something in a header.
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
        IReadOnlyList<SpokenMessage> spoken = _recall?.Invoke(message)
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
    /// Adds a call with its results. A call without results was broken off, or never carried out, and is left out.
    /// </summary>
    private void AddCall(FunctionCallContent call, SpokenMessage said)
    {
        if (!_results.TryTake(call, out List<FunctionResultContent>? results))
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

    /// <summary>Adds a tool's message: texts and data beside the results are read as results without a call.</summary>
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

    /// <summary>Adds the results whose call the history does not hold, as results of an unknown function.</summary>
    private void AddStrayResults(IEnumerable<AIContent> contents)
    {
        foreach (FunctionResultContent result in contents.OfType<FunctionResultContent>())
        {
            if (!_results.HasCall(result))
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
    /// The text of a user's or a system's message; null if all of its contents were passed over.
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
                // A blank line parts an attached text from what the user says.
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
    /// Notes for the log a content that is not for this model: one of another provider, or one that only clients use.
    /// </summary>
    private void Pass(AIContent content, ChatMessage message)
    {
        if (content is not (TextContent or UsageContent) && content.GetType() != typeof(AIContent))
            _passedOver.Add($"{content.GetType().Name} ({message.Role})");
    }
}
