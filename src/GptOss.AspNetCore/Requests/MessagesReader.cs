using GptOss.AspNetCore.Faults;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Requests;

/// <summary>What a request of Messages asks for.</summary>
internal sealed record MessagesAsk : Ask;

/// <summary>Reads requests of Anthropic's Messages.</summary>
internal static class MessagesReader
{
    private static readonly FieldTable Fields = new(
        history: "messages",
        read: ["system", "max_tokens", "stop_sequences", "thinking", "thread", "output_config", "output_format"]
    );

    /// <summary>Reads a whole request.</summary>
    /// <exception cref="FaultException">Something in it is wrong or not offered.</exception>
    public static MessagesAsk Read(WireValue body, ReadingContext context)
    {
        SortedSet<string> ignored = Fields.Check(body, context.IsStrict);
        // Of a conversation that the server is believed to hold, only the newest message would come.
        if (!body["thread"].IsAbsent)
            throw new FaultException(KnownFaults.Thread);
        var tools = new AskedTools();
        MessagesTools.Read(body["tools"], tools, ignored);
        var options = new ChatOptions();
        GptOssRequestOptions own = SamplingFields.Read(body, options, context.Vocabulary);
        options.MaxOutputTokens = SamplingFields.Limit(body["max_tokens"]);
        options.StopSequences = SamplingFields.Stops(body["stop_sequences"]);
        options.ToolMode = MessagesTools.Choice(body["tool_choice"], tools);
        options.Tools = [.. tools.All.Select(tool => tool.Declaration)];
        WireValue config = body["output_config"],
            format = config["format"];
        (options.ResponseFormat, string? formatPlace) = ChatFormat.Read(
            format.IsAbsent ? body["output_format"] : format,
            options,
            isFlat: true
        );
        string effort = EffortWords.Read(
            context.Effort,
            config["effort"],
            body["reasoning_effort"],
            body["reasoning"]["effort"],
            body["chat_template_kwargs"]["reasoning_effort"]
        );
        options.Reasoning = new ReasoningOptions
        {
            Effort = EffortWords.Of(effort),
            Output = IsShown(body["thinking"], ignored) ? ReasoningOutput.Full : ReasoningOutput.None,
        };
        return new MessagesAsk
        {
            Model = context.Models.Read(body["model"]),
            Messages = MessagesHistory.Read(body["system"], body["messages"], tools, ignored, context.MostBytes),
            Options = options,
            Own = own,
            Effort = effort,
            Tools = tools,
            IsStreamed = body["stream"].Flag() ?? false,
            FormatPlace = formatPlace,
            Ignored = [.. ignored],
        };
    }

    // The model thinks whatever a client wants to see of it; how long is said by the effort.
    private static bool IsShown(WireValue thinking, SortedSet<string> ignored)
    {
        if (thinking.IsAbsent)
            return false;
        if (!thinking["budget_tokens"].IsAbsent)
            ignored.Add("thinking.budget_tokens");
        return thinking["type"].Needed("one of enabled, adaptive, disabled").Word("enabled", "adaptive", "disabled")
            != "disabled";
    }
}
