namespace GptOss.Harmony;

/// <summary>Which earlier reasoning a prompt still holds.</summary>
internal static class AnalysisRule
{
    public static IReadOnlyList<HarmonyMessage> Apply(IReadOnlyList<HarmonyMessage> messages, AnalysisMode mode) =>
        mode switch
        {
            AnalysisMode.KeepAll => messages,
            AnalysisMode.HarmonyExact => DropBeforeFirstFinal(messages),
            _ => DropFinished(messages),
        };

    /// <summary>
    /// The reference's rule: if the assistant's last message is a final one, everything on <c>analysis</c> before the
    /// conversation's first final goes.
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
    /// Reasoning before the assistant's last final goes; all reasoning goes when the user speaks last. What comes after
    /// stays: it belongs to a running chain of calls, and without it the model forgets why it called.
    /// </summary>
    /// <remarks>
    /// A call of a built-in tool on <c>analysis</c> goes together with its result. A function's call that was made
    /// there is moved to <c>commentary</c>, so that it is not lost.
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
