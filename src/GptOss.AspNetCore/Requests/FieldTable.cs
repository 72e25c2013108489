using GptOss.AspNetCore.Faults;

namespace GptOss.AspNetCore.Requests;

/// <summary>
/// The fields that a dialect's requests may have: those that are read, those that are known and change nothing here,
/// and those that are refused, since to ignore them would change what was asked.
/// </summary>
/// <param name="read">The fields that the dialect's reader reads.</param>
/// <param name="idle">The known fields without an effect.</param>
/// <param name="refused">The fields that are refused, with the end of the sentence that begins with the field.</param>
internal sealed class FieldTable(
    IEnumerable<string> read,
    IEnumerable<string> idle,
    IReadOnlyDictionary<string, string> refused
)
{
    private readonly HashSet<string> _read = [.. read];
    private readonly HashSet<string> _idle = [.. idle];

    /// <summary>The names of fields that the request has and that have no effect.</summary>
    /// <param name="body">The whole body of the request.</param>
    /// <param name="isStrict">Whether a field that nobody knows is refused too.</param>
    /// <exception cref="FaultException">A field is refused.</exception>
    public IReadOnlyList<string> Check(WireValue body, bool isStrict)
    {
        var ignored = new List<string>();
        foreach ((string name, WireValue value) in body.Members())
        {
            if (value.IsAbsent || _read.Contains(name))
                continue;
            if (refused.TryGetValue(name, out string? why))
                throw value.NotOffered(why);
            if (_idle.Contains(name))
                ignored.Add(name);
            else if (isStrict)
                throw value.NotOffered("is unknown, and this server is strict about fields.");
        }
        return ignored;
    }
}
