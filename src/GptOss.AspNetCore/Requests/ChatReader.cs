using GptOss.AspNetCore.Faults;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Requests;

/// <summary>What a request of Chat Completions asks for.</summary>
internal sealed record ChatAsk : Ask
{
    /// <summary>Whether the chunks end with one that counts tokens, as a whole answer always does.</summary>
    public bool CountsTokens { get; init; }
}

/// <summary>Reads requests of OpenAI's Chat Completions.</summary>
internal static class ChatReader
{
    private static readonly FieldTable Fields = new(
        history: "messages",
        read:
        [
            "max_tokens",
            "max_completion_tokens",
            "stop",
            "stream_options",
            "return_progress",
            "logprobs",
            "top_logprobs",
            "include_reasoning",
            "response_format",
            "prompt_cache_key",
        ]
    );

    /// <summary>Reads a whole request.</summary>
    /// <exception cref="FaultException">Something in it is wrong or not offered.</exception>
    public static ChatAsk Read(WireValue body, ReadingContext context)
    {
        SortedSet<string> ignored = Fields.Check(body, context.IsStrict);
        var tools = new AskedTools();
        ChatToolFields.Read(body["tools"], tools);
        var options = new ChatOptions();
        GptOssRequestOptions own = SamplingFields.Read(body, options, context.Vocabulary);
        options.MaxOutputTokens = SamplingFields.Limit(body["max_completion_tokens"], body["max_tokens"]);
        options.StopSequences = SamplingFields.Stops(body["stop"]);
        options.ToolMode = ChatToolFields.Choice(body["tool_choice"], tools);
        options.Tools = [.. tools.All.Select(tool => tool.Declaration)];
        (options.ResponseFormat, string? formatPlace) = ChatFormat.Read(body["response_format"], options);
        string effort = EffortWords.Read(
            context.Effort,
            body["reasoning_effort"],
            body["reasoning"]["effort"],
            body["chat_template_kwargs"]["reasoning_effort"]
        );
        options.Reasoning = new ReasoningOptions
        {
            Effort = EffortWords.Of(effort),
            Output = body["include_reasoning"].Flag() == false ? ReasoningOutput.None : ReasoningOutput.Full,
        };
        bool isStreamed = body["stream"].Flag() ?? false;
        WireValue streaming = body["stream_options"];
        if (!streaming.IsAbsent && !isStreamed)
            throw streaming.WrongValue("left out where 'stream' is not true", "there");
        return new ChatAsk
        {
            Model = context.Models.Read(body["model"]),
            Messages = ChatHistory.Read(body["messages"]),
            Options = options,
            Own = own with { LogProbabilities = Probabilities(body) },
            Effort = effort,
            Tools = tools,
            IsStreamed = isStreamed,
            CountsTokens = streaming["include_usage"].Flag() ?? !isStreamed,
            WantsProgress = body["return_progress"].Flag() ?? false,
            FormatPlace = formatPlace,
            Ignored = [.. ignored],
        };
    }

    private static int? Probabilities(WireValue body)
    {
        WireValue count = body["top_logprobs"];
        int? top = (int?)count.Whole(0, 20);
        if (body["logprobs"].Flag() == true)
            return top ?? 0;
        return top is null or 0 ? null : throw count.WrongValue("left out where 'logprobs' is not true", "there");
    }
}
