using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>
/// Finds the results that belong to each function call of a history, so that a call can be written with its results
/// directly behind it.
/// </summary>
/// <remarks>
/// A result belongs to the call whose id it names, as long as no later message calls by the same id. Some providers
/// give calls no ids, or the same id to all of them: calls of one message that share an id get their results in order.
/// Made for one history, and used up by reading it once: see <see cref="TryTake"/>.
/// </remarks>
internal sealed class ResultMatcher
{
    // A call's object may stand in a history several times; each time has a list of results of its own.
    private readonly Dictionary<FunctionCallContent, Queue<List<FunctionResultContent>>> _results = new(
        ReferenceEqualityComparer.Instance
    );
    private readonly HashSet<FunctionResultContent> _matched = new(ReferenceEqualityComparer.Instance);

    /// <param name="history">All messages of the request, none of them null.</param>
    public ResultMatcher(IReadOnlyList<ChatMessage> history)
    {
        var open = new Dictionary<string, (int Message, int Next, List<List<FunctionResultContent>> Calls)>();
        for (int i = 0; i < history.Count; i++)
        {
            foreach (AIContent content in history[i].Contents)
            {
                if (content is FunctionCallContent call && history[i].Role == ChatRole.Assistant)
                {
                    if (!open.TryGetValue(call.CallId, out var same) || same.Message != i)
                        open[call.CallId] = same = (i, 0, []);
                    same.Calls.Add([]);
                    if (!_results.TryGetValue(call, out var times))
                        _results[call] = times = new();
                    times.Enqueue(same.Calls[^1]);
                }
                else if (content is FunctionResultContent result && open.TryGetValue(result.CallId, out var called))
                {
                    called.Calls[Math.Min(called.Next, called.Calls.Count - 1)].Add(result);
                    open[result.CallId] = called with { Next = called.Next + 1 };
                    _matched.Add(result);
                }
            }
        }
    }

    /// <summary>Takes the results of a call that the reader of the history has come to; false if it has none.</summary>
    /// <remarks>A call's object that stands in the history twice is taken twice, in the order of the history.</remarks>
    public bool TryTake(FunctionCallContent call, [NotNullWhen(true)] out List<FunctionResultContent>? results)
    {
        results = null;
        return _results.TryGetValue(call, out var times) && times.TryDequeue(out results) && results.Count > 0;
    }

    /// <summary>Whether the result belongs to a call of this history.</summary>
    public bool HasCall(FunctionResultContent result) => _matched.Contains(result);
}
