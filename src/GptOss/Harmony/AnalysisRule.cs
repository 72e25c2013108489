namespace GptOss.Harmony;

/// <summary>
/// Decides which of a conversation's earlier reasoning the prompt still shows to the model, and leaves out the rest.
/// </summary>
internal static class AnalysisRule
{
    /// <summary>The messages that the prompt shows, by one of the three rules.</summary>
    public static IReadOnlyList<HarmonyMessage> Apply(IReadOnlyList<HarmonyMessage> messages, AnalysisMode mode) =>
        mode switch
        {
            AnalysisMode.KeepAll => messages,
            AnalysisMode.HarmonyExact => DropBeforeFirstFinal(messages),
            _ => DropFinished(messages),
        };

    /// <summary>
    /// The rule of OpenAI's harmony library: if the assistant's last message is on <c>final</c>, everything on
    /// <c>analysis</c> before the conversation's first message on <c>final</c> is left out.
    /// </summary>
    private static IReadOnlyList<HarmonyMessage> DropBeforeFirstFinal(IReadOnlyList<HarmonyMessage> messages)
    {
        if (messages.LastOrDefault(message => message.Role == HarmonyRole.Assistant)?.Channel != ChannelNames.Final)
            return messages;
        int first = 0;
        while (messages[first].Channel != ChannelNames.Final)
            first++;
        return [.. messages.Where((message, i) => i >= first || message.Channel != ChannelNames.Analysis)];
    }

    /// <summary>
    /// Leaves out reasoning before the assistant's last message on <c>final</c>, and all reasoning when the user speaks
    /// last. Later reasoning stays: it belongs to a running chain of calls, and tells the model why it called.
    /// </summary>
    /// <remarks>
    /// A call of a built-in tool on <c>analysis</c> is left out together with its result. A function's call on
    /// <c>analysis</c> is moved to <c>commentary</c>, so that it is not lost.
    /// </remarks>
    private static List<HarmonyMessage> DropFinished(IReadOnlyList<HarmonyMessage> messages)
    {
        int finished = FinishedCount(messages);
        var kept = new List<HarmonyMessage>(messages.Count);
        var dropped = new List<string>();
        for (int i = 0; i < messages.Count; i++)
        {
            HarmonyMessage message = messages[i];
            bool isAnalysis = message.Channel == ChannelNames.Analysis;
            if (isAnalysis && i < finished)
            {
                if (OfFunction(message))
                    kept.Add(message with { Channel = ChannelNames.Commentary });
                else if (message.IsCall)
                    dropped.Add(message.Recipient!);
                else if (message.Role == HarmonyRole.Tool)
                    dropped.Remove(message.Name ?? "");
            }
            else if (message.Role != HarmonyRole.Tool || !dropped.Remove(message.Name ?? ""))
                kept.Add(message);
        }
        return kept;
    }

    private static int FinishedCount(IReadOnlyList<HarmonyMessage> messages)
    {
        HarmonyMessage? last = messages.LastOrDefault(message =>
            message.Role is not (HarmonyRole.System or HarmonyRole.Developer)
        );
        if (last?.Role == HarmonyRole.User)
            return messages.Count;
        for (int i = messages.Count - 1; i >= 0; i--)
        {
            if (messages[i] is { Role: HarmonyRole.Assistant, Channel: ChannelNames.Final })
                return i;
        }
        return 0;
    }

    private static bool OfFunction(HarmonyMessage message)
    {
        string? name =
            message.IsCall ? message.Recipient
            : message.Role == HarmonyRole.Tool ? message.Name
            : null;
        return name?.StartsWith(ToolNames.FunctionsPrefix, StringComparison.Ordinal) == true;
    }
}
