namespace GptOss.Harmony;

/// <summary>
/// Turns messages of a conversation into the token ids of a prompt, in Harmony, the chat format of gpt-oss.
/// Thread-safe.
/// </summary>
/// <remarks>
/// <code>
/// message = start header message content (call | end)
/// header  = (role [":" name] | tool's name) [" to=" recipient] [channel name [" to=" recipient]]
///           [" " constrain type | " " type]
/// </code>
/// Each piece of text is encoded by itself and markers are placed as ids, so that no text becomes structure, whatever
/// it spells. A content type that begins with <c>&lt;|constrain|&gt;</c> is the exception: there the marker is meant.
/// The recipient of a call stands in one of the two places: <see cref="RenderOptions.RecipientBehindChannel"/>.
/// </remarks>
/// <param name="special">The ids of Harmony's markers, and the tokenizer.</param>
internal sealed class HarmonyRenderer(SpecialTokens special)
{
    /// <summary>The token ids of a whole conversation.</summary>
    /// <exception cref="HarmonyFormatException">
    /// A tool's message has no name; system or developer content stands in a message of another role.
    /// </exception>
    /// <exception cref="ContextLengthException">
    /// The texts are too long for the context even if each token were the longest of the vocabulary.
    /// </exception>
    /// <exception cref="OperationCanceledException">The rendering was cancelled.</exception>
    public List<int> Render(IReadOnlyList<HarmonyMessage> messages, RenderOptions? options = null)
    {
        options ??= new RenderOptions();
        bool hasFunctions = messages.Any(OffersFunctions);
        var writer = new ContentWriter(hasFunctions, options);
        var ids = new List<int>();
        (HarmonyMessage Message, string[] Texts)[] written =
        [
            .. from message in AnalysisRule.Apply(messages, options.Analysis) select (message, Texts(message, writer)),
        ];
        if (options.ContextLength is { } context)
        {
            long fewest =
                special.Tokenizer.FewestTokens(
                    written.SelectMany(one => (string[])[.. one.Texts, .. HeaderTexts(one.Message)])
                ) + written.Sum(one => (long)(one.Message.ContentTokens?.Count ?? 0));
            if (fewest > context)
                throw ContextLengthException.AtLeast(fewest, context);
        }
        foreach ((HarmonyMessage message, string[] texts) in written)
            Append(ids, message, texts, options);

        if (options.Form == RenderForm.Completion)
        {
            ids.Add(special.Start);
            ids.AddRange(special.Tokenizer.Encode(options.NextRole.Word()));
        }
        else if (
            options.Form == RenderForm.Training
            && messages is [.., { Role: HarmonyRole.Assistant, Channel: ChannelNames.Final }]
        )
            ids[^1] = special.Return;
        return ids;
    }

    /// <summary>The token ids of one message by itself.</summary>
    /// <param name="message">The message to be rendered.</param>
    /// <param name="hasFunctions">Whether the conversation offers functions, which a system message mentions.</param>
    /// <exception cref="HarmonyFormatException">
    /// A tool's message has no name; system or developer content stands in a message of another role.
    /// </exception>
    public List<int> RenderMessage(HarmonyMessage message, bool hasFunctions = false)
    {
        var ids = new List<int>();
        var options = new RenderOptions();
        Append(ids, message, Texts(message, new ContentWriter(hasFunctions, options)), options);
        return ids;
    }

    private static bool OffersFunctions(HarmonyMessage message) =>
        message
            .Content.OfType<HarmonyContent.DeveloperInfo>()
            .Any(developer =>
                developer.Tools.LastOrDefault(tools => tools.Name == ToolNamespace.FunctionsName)
                    is { Functions.Count: > 0 }
            );

    private void Append(List<int> ids, HarmonyMessage message, string[] texts, RenderOptions options)
    {
        ids.Add(special.Start);
        AppendHeader(ids, message, options);
        ids.Add(special.Message);
        ids.AddRange(message.ContentTokens ?? []);
        foreach (string text in texts)
            ids.AddRange(special.Tokenizer.EncodeCancellable(text, options.Cancellation));
        ids.Add(message.IsCall ? special.Call : special.End);
    }

    private static string[] Texts(HarmonyMessage message, ContentWriter writer)
    {
        foreach (HarmonyContent content in message.Content)
        {
            HarmonyRole? only = content switch
            {
                HarmonyContent.SystemInfo => HarmonyRole.System,
                HarmonyContent.DeveloperInfo => HarmonyRole.Developer,
                _ => null,
            };
            if (only is not null && only != message.Role)
            {
                throw new HarmonyFormatException(
                    $"A message of role '{message.Role.Word()}' holds content "
                        + $"that only '{only.Value.Word()}' may have."
                );
            }
        }
        return message.ContentTokens is null ? [.. message.Content.Select(writer.Write)] : [];
    }

    /// <summary>The texts of a header that come from a caller, who may have made them as long as a message.</summary>
    private static IEnumerable<string> HeaderTexts(HarmonyMessage message) =>
        new[] { message.Name, message.Recipient, message.ContentType }.OfType<string>();

    private void AppendHeader(List<int> ids, HarmonyMessage message, RenderOptions options)
    {
        bool recipientBehindChannel = options.RecipientBehindChannel && message.IsCall;
        if (message.Role == HarmonyRole.Tool)
        {
            Append(
                message.Name
                    ?? throw new HarmonyFormatException(
                        "A tool's message has no name. It has to name the function whose result it is."
                    )
            );
        }
        else
        {
            Append(message.Role.Word());
            if (message.Name is { } name)
                Append(":" + name);
        }
        string? recipient = message.Recipient is null or ToolNames.Everyone ? null : " to=" + message.Recipient;
        if (recipient is not null && !(recipientBehindChannel && message.Channel is not null))
            Append(recipient);
        if (message.Channel is { } channel)
        {
            ids.Add(special.Channel);
            Append(channel);
            if (recipient is not null && recipientBehindChannel)
                Append(recipient);
        }
        if (message.ContentType is not { } type)
            return;
        if (type.StartsWith(SpecialTokens.ConstrainName, StringComparison.Ordinal))
        {
            Append(" ");
            ids.Add(special.Constrain);
            Append(type[SpecialTokens.ConstrainName.Length..]);
        }
        else
            Append(" " + type);

        void Append(string text) => ids.AddRange(special.Tokenizer.EncodeCancellable(text, options.Cancellation));
    }
}
