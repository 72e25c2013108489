using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Answers;

/// <summary>Reads the updates of a chat client as events; made anew for each answer.</summary>
/// <remarks>
/// A call may come twice: in pieces while the model writes it (<see cref="CallDelta"/>), and complete. Whatever the
/// client, each call becomes one beginning, its input in pieces, and one end.
/// </remarks>
/// <param name="ask">The request that is answered.</param>
/// <param name="hidesForeignCalls">Whether calls of functions that the request does not offer are the host's own
/// affair, since its pipeline carries them out.</param>
internal sealed class ReplyReader(Ask ask, bool hidesForeignCalls)
{
    private readonly UsageDetails _usage = new();
    private readonly StringBuilder _input = new();
    private string? _open;
    private FreeformInput? _freeform;
    private int _written;
    private bool _called;
    private bool _isCut;
    private string? _stop;

    /// <summary>The events of one update, none for one that only says that the request was accepted.</summary>
    public IEnumerable<ReplyEvent> Read(ChatResponseUpdate update)
    {
        _isCut = update.FinishReason is { } reason ? reason == ChatFinishReason.Length : _isCut;
        if (update.AdditionalProperties?.TryGetValue("stop_sequence", out object? stop) == true)
            _stop = stop?.ToString();
        IReadOnlyList<TokenProbability> tokens = TokenProbability.Of(update) ?? [];
        foreach (AIContent content in update.Contents)
        {
            switch (content)
            {
                case TextReasoningContent { Text.Length: > 0 } reasoning when ask.ShowsReasoning:
                    yield return new ReplyEvent.Reasoning(reasoning.Text);
                    break;
                case TextContent { Text.Length: > 0 } text:
                    yield return new ReplyEvent.Text(text.Text, IsPreamble(text), tokens);
                    tokens = [];
                    break;
                case FunctionCallContent call when !IsForeign(call.Name):
                    foreach (ReplyEvent e in Complete(call))
                        yield return e;
                    break;
                case UsageContent usage:
                    _usage.Add(usage.Details);
                    break;
                case { RawRepresentation: CallDelta delta } when !IsForeign(delta.Name):
                    foreach (ReplyEvent e in Begin(delta.CallId, delta.Name).Concat(Write(delta.Delta)))
                        yield return e;
                    break;
            }
        }
    }

    /// <summary>The last event, once no more updates come.</summary>
    public ReplyEvent.Finished Finish(ReplyPace pace) =>
        new(
            _isCut ? ReplyEnd.Length
                : _called ? ReplyEnd.Calls
                : ReplyEnd.Stop,
            _stop,
            _usage,
            pace
        );

    private static bool IsPreamble(TextContent text) =>
        text.AdditionalProperties?.TryGetValue("harmony.channel", out object? channel) == true
        && channel as string == "commentary";

    private bool IsForeign(string name) => hidesForeignCalls && ask.Tools.Find(name) is null;

    private IEnumerable<ReplyEvent> Begin(string id, string name)
    {
        if (_open == id)
            yield break;
        _open = id;
        _called = true;
        _written = 0;
        _input.Clear();
        bool isFreeform = ask.Tools.Find(name) is { IsFreeform: true };
        _freeform = isFreeform ? new FreeformInput() : null;
        yield return new ReplyEvent.CallStarted(id, name, isFreeform);
    }

    private IEnumerable<ReplyEvent> Write(string written)
    {
        _written += written.Length;
        string delta = _freeform?.Append(written) ?? written;
        if (delta.Length == 0)
            yield break;
        _input.Append(delta);
        yield return new ReplyEvent.CallInput(delta);
    }

    private IEnumerable<ReplyEvent> Complete(FunctionCallContent call)
    {
        foreach (ReplyEvent e in Begin(call.CallId, call.Name))
            yield return e;
        string all = call.RawRepresentation as string ?? Arguments(call);
        foreach (ReplyEvent e in Write(all.Length > _written ? all[_written..] : ""))
            yield return e;
        if (_freeform?.End() is { Length: > 0 } rest)
        {
            _input.Append(rest);
            yield return new ReplyEvent.CallInput(rest);
        }
        yield return new ReplyEvent.CallEnded(_input.ToString(), IsWhole: !_isCut);
        _open = null;
    }

    // A client of another kind gives values in place of the text that its model wrote.
    private static string Arguments(FunctionCallContent call) =>
        call.Arguments is not { Count: > 0 } arguments
            ? "{}"
            : JsonSerializer.Serialize(
                arguments,
                AIJsonUtilities.DefaultOptions.GetTypeInfo(typeof(IDictionary<string, object?>))
            );
}
