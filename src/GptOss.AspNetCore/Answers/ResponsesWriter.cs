using System.Globalization;
using GptOss.AspNetCore.Faults;
using GptOss.AspNetCore.Requests;
using GptOss.AspNetCore.State;
using GptOss.AspNetCore.Wire;

namespace GptOss.AspNetCore.Answers;

/// <summary>Writes an answer as events of Responses, and stores it at its end.</summary>
/// <param name="ask">The request that is answered.</param>
/// <param name="head">What the answer says of itself.</param>
/// <param name="frames">Takes the events of the stream.</param>
/// <param name="store">Keeps the answer, where the request wants it.</param>
/// <param name="time">Tells when the answer is complete.</param>
internal sealed class ResponsesWriter(
    ResponsesAsk ask,
    ReplyHead head,
    IFrames frames,
    ResponseStore store,
    TimeProvider time
) : ReplyWriter
{
    private readonly List<ResponseItem> _output = [];
    private readonly Dictionary<string, int> _counts = [];
    private GrowingItem? _open;
    private int _sequence;

    public override void Begin()
    {
        Send("response.created", Event(Now("in_progress")));
        Send("response.in_progress", Event(Now("in_progress")));
    }

    public override void Add(ReplyEvent happened)
    {
        switch (happened)
        {
            case ReplyEvent.Reasoning reasoning:
                Reasoning().Add(reasoning.Delta);
                break;
            case ReplyEvent.Text text:
                bool isFirst = _open is GrowingMessage open && open.IsPreamble != text.IsPreamble;
                Message(text.IsPreamble).Add(isFirst ? Unbordered(text.Delta) : text.Delta, Probabilities(text));
                break;
            case ReplyEvent.CallStarted call:
                string id = NewId(call.IsFreeform ? "ctc" : "fc");
                Open(new GrowingCall(id, Send, call, ask.Tools.Find(call.Name)));
                break;
            case ReplyEvent.CallInput input:
                (_open as GrowingCall)?.Add(input.Delta);
                break;
            case ReplyEvent.Finished end:
                Finish(end);
                break;
        }
    }

    public override void Progress(Beat beat) => Beat(beat);

    // Clients of this dialect count events and no comments; all of them take this one again and again.
    public override void Beat(Beat beat) =>
        Send("response.in_progress", Event(Now("in_progress")) with { PromptProgress = ChatProgress.Of(beat) });

    public override void Fail(Fault fault)
    {
        frames.Send(
            "error",
            new ResponseErrorEvent(_sequence++, fault.Code, fault.Message),
            WireJson.Readable.ResponseErrorEvent
        );
        ResponseObject failed = Now("incomplete") with
        {
            Status = "failed",
            Error = new ResponseError("server_error", fault.Message),
        };
        Send("response.failed", Event(failed));
    }

    // The item that is being written when the answer ends is the one that a limit cut.
    private void Finish(ReplyEvent.Finished end)
    {
        string status = end.Reason == ReplyEnd.Length ? "incomplete" : "completed";
        Close(status);
        ResponseObject whole = Now(status) with
        {
            CompletedAt = time.GetUtcNow().ToUnixTimeSeconds(),
            IncompleteDetails = end.Reason == ReplyEnd.Length ? new IncompleteDetails("max_output_tokens") : null,
            Usage = ResponseUsage.Of(end.Usage),
            Timings = ReplyTimings.Of(end.Usage, end.Pace),
        };
        // Before the client hears of its end: the next request may ask for it at once.
        if (ask.IsStored)
            store.Add(StoredResponse.Of(head.Number, ask, whole));
        Send("response." + status, Event(whole));
        frames.SendText("[DONE]");
    }

    // A blank line parts messages that stand in one text; items need none, and ResponsesHistory puts it back.
    private static string Unbordered(string delta) =>
        delta.StartsWith(ItemIds.Border, StringComparison.Ordinal) ? delta[ItemIds.Border.Length..] : delta;

    private GrowingReasoning Reasoning() =>
        _open as GrowingReasoning
        ?? Open(new GrowingReasoning(NewId("rs"), Send, ask.Summary is not null, ask.WantsEncrypted));

    private GrowingMessage Message(bool isPreamble) =>
        _open is GrowingMessage open && open.IsPreamble == isPreamble
            ? open
            : Open(new GrowingMessage(NewId("msg"), Send, isPreamble));

    private T Open<T>(T item)
        where T : GrowingItem
    {
        Close("completed");
        _open = item;
        item.Begin();
        return item;
    }

    private void Close(string status)
    {
        if (_open is null)
            return;
        _output.Add(_open.End(status));
        _open = null;
    }

    // The first item of a kind has the number of the answer alone.
    private string NewId(string kind)
    {
        int count = _counts[kind] = _counts.GetValueOrDefault(kind) + 1;
        string id = $"{kind}_{head.Number}";
        return count == 1 ? id : string.Create(CultureInfo.InvariantCulture, $"{id}_{count}");
    }

    private WireProbability[] Probabilities(ReplyEvent.Text text) =>
        head.Tokenizer is { } tokenizer ? [.. text.Tokens.Select(token => WireProbability.Of(token, tokenizer))] : [];

    private static ResponseEvent Event(ResponseObject response) =>
        new()
        {
            Type = "",
            SequenceNumber = 0,
            Response = response,
        };

    private void Send(string type, ResponseEvent data)
    {
        ResponseEvent numbered = data with
        {
            Type = type,
            SequenceNumber = _sequence++,
            // Items are written one after another: the one that an event is about is the next of the output.
            OutputIndex = data.Response is null ? _output.Count : null,
        };
        frames.Send(type, numbered, WireJson.Readable.ResponseEvent);
    }

    /// <summary>The response so far.</summary>
    /// <param name="status">The response's, and that of the item that is being written.</param>
    private ResponseObject Now(string status) =>
        new()
        {
            Id = $"resp_{head.Number}",
            CreatedAt = head.Created,
            Status = status,
            Model = ask.Model,
            PreviousResponseId = ask.PreviousResponseId,
            Instructions = ask.Instructions,
            Output = _open is null ? [.. _output] : [.. _output, _open.Now(status)],
            Tools = ask.Echo.Tools,
            ToolChoice = ask.Echo.ToolChoice,
            ParallelToolCalls = ask.Echo.ParallelToolCalls,
            Text = new ResponseText(ask.Echo.Format),
            Temperature = Spelled(ask.Options.Temperature, 1),
            TopP = Spelled(ask.Options.TopP, 1),
            PresencePenalty = Spelled(ask.Options.PresencePenalty, 0),
            FrequencyPenalty = Spelled(ask.Options.FrequencyPenalty, 0),
            TopLogprobs = ask.Own.LogProbabilities ?? 0,
            Reasoning = new ResponseReasoning(ask.Effort, ask.Summary),
            MaxOutputTokens = ask.Options.MaxOutputTokens,
            MaxToolCalls = ask.Echo.MaxToolCalls,
            Store = ask.IsStored,
            Metadata = ask.Echo.Metadata,
            SafetyIdentifier = ask.Echo.SafetyIdentifier,
            PromptCacheKey = ask.Echo.PromptCacheKey,
            User = ask.Echo.User,
        };

    // 0.7 as a double of its own, and not the double that the float is: 0.699999988079071.
    private static double Spelled(float? value, double usual) => value is { } given ? (double)(decimal)given : usual;
}
