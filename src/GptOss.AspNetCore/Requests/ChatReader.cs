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
        read:
        [
            .. SamplingFields.Names,
            "model",
            "messages",
            "max_tokens",
            "max_completion_tokens",
            "stop",
            "n",
            "stream",
            "stream_options",
            "return_progress",
            "logprobs",
            "top_logprobs",
            "reasoning_effort",
            "reasoning",
            "chat_template_kwargs",
            "include_reasoning",
            "tools",
            "tool_choice",
            "response_format",
            "modalities",
            "prompt_cache_key",
        ],
        idle:
        [
            "user",
            "store",
            "metadata",
            "service_tier",
            "parallel_tool_calls",
            "prediction",
            "verbosity",
            "safety_identifier",
            "prompt_cache_retention",
            "max_tool_calls",
            "truncation",
            "include_obfuscation",
            "cache_control",
            "context_management",
            "client_metadata",
        ],
        refused: new Dictionary<string, string>
        {
            ["audio"] = "is not offered: this model writes text only.",
            ["functions"] = "is the older form of 'tools': use that.",
            ["function_call"] = "is the older form of 'tool_choice': use that.",
            ["web_search_options"] = "is not offered: this server searches nothing. Offer a search as a tool.",
            ["background"] = "is not offered: read the answer as a stream.",
            ["conversation"] = "is not offered: send the whole conversation in 'messages'.",
            ["prompt"] = "is not offered here: send 'messages'.",
            ["suffix"] = "is not offered: send 'messages'.",
        }
    );

    /// <summary>Reads a whole request.</summary>
    /// <exception cref="FaultException">Something in it is wrong or not offered.</exception>
    public static ChatAsk Read(WireValue body, ReadingContext context)
    {
        IReadOnlyList<string> ignored = Fields.Check(body, context.IsStrict);
        RefuseMany(body);
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
            Own = own with
            {
                LogProbabilities = Probabilities(body),
                StrictTools = tools.All.Any(tool => tool.IsStrict),
            },
            Effort = effort,
            Tools = tools,
            IsStreamed = isStreamed,
            CountsTokens = streaming["include_usage"].Flag() ?? !isStreamed,
            WantsProgress = body["return_progress"].Flag() ?? false,
            FormatPlace = formatPlace,
            Ignored = ignored,
        };
    }

    /// <summary>Refuses more than one answer, and answers that are no text.</summary>
    /// <exception cref="FaultException">The request asks for either.</exception>
    public static void RefuseMany(WireValue body)
    {
        if (body["n"].Whole(long.MinValue, long.MaxValue) is not (null or 1))
            throw body["n"].NotOffered("should be 1: this server makes one answer for a request.");
        foreach (WireValue modality in body["modalities"].Items(16))
            if (modality.Text() is not (null or "text"))
                throw body["modalities"].NotOffered("should be [\"text\"]: this model writes text only.");
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
