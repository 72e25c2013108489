using GptOss.AspNetCore.Faults;

namespace GptOss.AspNetCore.Requests;

/// <summary>
/// Checks that every call in a history has one result, in any order behind it, and every result one call.
/// </summary>
internal sealed class OpenCalls
{
    private readonly Dictionary<string, string> _open = [];
    private readonly Dictionary<string, string> _names = [];

    /// <summary>Whether a call waits for its result.</summary>
    public bool Any => _open.Count > 0;

    /// <summary>Notes that a call waits for its result.</summary>
    /// <param name="id">The field that holds the id of the call.</param>
    /// <param name="name">The name of the function that was called.</param>
    public void Add(WireValue id, string name)
    {
        string call = Id(id);
        if (!_open.TryAdd(call, id.Place))
            throw id.WrongValue("an id of its own", $"{Fault.Quote(call)}, which another call has");
        _names[call] = name;
    }

    /// <summary>Takes the result of a call; returns the id and the name of the function.</summary>
    /// <param name="id">The field that names the call.</param>
    public (string Id, string Name) Take(WireValue id)
    {
        string call = Id(id);
        if (_open.Remove(call))
            return (call, _names[call]);
        throw _names.ContainsKey(call)
            ? id.WrongValue("the id of a call without a result", $"{Fault.Quote(call)}, which has one already")
            : id.WrongValue("the id of an earlier call", Fault.Quote(call));
    }

    /// <summary>Demands that no call waits any more, since somebody speaks who is no tool.</summary>
    public void Close()
    {
        foreach ((string call, string place) in _open)
            throw new FaultException(
                new Fault(FaultKind.Invalid, "invalid_value", $"The call {Fault.Quote(call)} has no result.", place)
            );
    }

    private static string Id(WireValue id) => id.Needed("the id of a call").Text(256)!;
}
