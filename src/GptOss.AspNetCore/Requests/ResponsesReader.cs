using System.Text;
using System.Text.Json;
using GptOss.AspNetCore.Faults;
using GptOss.AspNetCore.State;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Requests;

/// <summary>Reads requests of OpenAI's Responses.</summary>
/// <param name="store">Has the answers that a request can build on.</param>
internal sealed class ResponsesReader(ResponseStore store)
{
    private const string Encrypted = "reasoning.encrypted_content",
        Probabilities = "message.output_text.logprobs";

    private static readonly FieldTable Fields = new(
        history: "input",
        read:
        [
            "instructions",
            "previous_response_id",
            "max_output_tokens",
            "stop",
            "return_progress",
            "top_logprobs",
            "include",
            "include_reasoning",
            "text",
            "store",
            "metadata",
            "prompt_cache_key",
        ]
    );

    /// <summary>Reads a whole request.</summary>
    /// <exception cref="FaultException">Something in it is wrong or not offered.</exception>
    public ResponsesAsk Read(WireValue body, ReadingContext context)
    {
        SortedSet<string> ignored = Fields.Check(body, context.IsStrict);
        var tools = new AskedTools();
        ResponsesTools.Read(body["tools"], tools, ignored);
        var options = new ChatOptions();
        GptOssRequestOptions own = SamplingFields.Read(body, options, context.Vocabulary);
        options.MaxOutputTokens = SamplingFields.Limit(body["max_output_tokens"]);
        options.StopSequences = SamplingFields.Stops(body["stop"]);
        options.ToolMode = ChatToolFields.Choice(body["tool_choice"], tools, isFlat: true);
        options.Tools = [.. tools.All.Select(tool => tool.Declaration)];
        (options.ResponseFormat, string? formatPlace) = ChatFormat.Read(body["text"]["format"], options, isFlat: true);
        string effort = EffortWords.Read(
            context.Effort,
            body["reasoning"]["effort"],
            body["reasoning_effort"],
            body["chat_template_kwargs"]["reasoning_effort"]
        );
        options.Reasoning = new ReasoningOptions
        {
            Effort = EffortWords.Of(effort),
            Output = body["include_reasoning"].Flag() == false ? ReasoningOutput.None : ReasoningOutput.Full,
        };
        HashSet<string> included = Included(body["include"], ignored);
        bool isStored = (body["store"].Flag() ?? true) && !store.IsOff;
        string? previous = body["previous_response_id"].Text(),
            instructions = body["instructions"].Text();
        WireValue input = body["input"];
        List<ChatMessage> messages = ResponsesHistory.Read(
            input,
            Stored(previous, body["previous_response_id"], context.Scope),
            new StoredItemFinder(store, context.Scope, context.MostBytes).Find,
            ignored
        );
        if (instructions is { Length: > 0 })
            messages.Insert(0, new ChatMessage(ChatRole.System, instructions));
        return new ResponsesAsk
        {
            Model = context.Models.Read(body["model"]),
            Messages = messages,
            Options = options,
            Own = own with { LogProbabilities = Count(body["top_logprobs"], included) },
            Effort = effort,
            Tools = tools,
            IsStreamed = body["stream"].Flag() ?? false,
            WantsProgress = body["return_progress"].Flag() ?? false,
            FormatPlace = formatPlace,
            Scope = context.Scope,
            Input = isStored ? Items(input) : [],
            IsStored = isStored,
            PreviousResponseId = previous,
            Instructions = instructions,
            Summary = Summary(body["reasoning"]),
            WantsEncrypted = included.Contains(Encrypted),
            Echo = ResponsesEcho.Of(body),
            Ignored = [.. ignored],
        };
    }

    private IEnumerable<JsonElement> Stored(string? previous, WireValue field, string? scope)
    {
        if (previous is null)
            return [];
        IReadOnlyList<StoredResponse> chain = store.Chain(scope, previous)
            ?? throw field.Wrong(
                "previous_response_not_found",
                $"The response {Fault.Quote(previous)} is not stored here, or no longer."
            );
        return chain.SelectMany(answer => answer.InputItems().Concat(answer.OutputItems()));
    }

    private static HashSet<string> Included(WireValue list, SortedSet<string> ignored)
    {
        HashSet<string> names = [.. list.Items(64, "a list of names").Select(item => item.Needed("a name").Text()!)];
        ignored.UnionWith(names.Where(name => name is not (Encrypted or Probabilities)));
        return names;
    }

    private static int? Count(WireValue top, HashSet<string> included)
    {
        int? count = (int?)top.Whole(0, 20);
        return included.Contains(Probabilities) ? count ?? 0
            : count is 0 ? null
            : count;
    }

    private static string? Summary(WireValue reasoning)
    {
        WireValue field = reasoning["summary"];
        string? word = (field.IsAbsent ? reasoning["generate_summary"] : field).Word(
            "auto",
            "concise",
            "detailed",
            "none"
        );
        return word == "none" ? null : word;
    }

    // A text is a message of the user. It stays as it is spelled: to escape it anew takes six times its memory.
    private static byte[] Items(WireValue input) =>
        Encoding.UTF8.GetBytes(
            input.IsText
                ? "[{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":"
                    + input.Raw()
                    + "}]}]"
                : input.Raw()
        );
}
