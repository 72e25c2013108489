using System.Runtime.InteropServices;
using System.Text.Json;
using GptOss.AspNetCore.Faults;
using GptOss.AspNetCore.Requests;

namespace GptOss.AspNetCore.State;

/// <summary>
/// Finds the stored items that one request refers to. Each answer is read once, however many references there are to
/// its items: a request may hold thousands, and an answer may be megabytes. Each reference counts as many bytes as the
/// item has, since each becomes a text of its own: a small body cannot take more memory than a large one.
/// </summary>
/// <param name="store">Has the answers that are kept.</param>
/// <param name="scope">Whose answers are looked for.</param>
/// <param name="mostBytes">The most bytes of all items that the request refers to.</param>
internal sealed class StoredItemFinder(ResponseStore store, string? scope, long mostBytes)
{
    private readonly Dictionary<string, IReadOnlyList<JsonElement>> _outputs = [];
    private long _bytes;

    /// <summary>An item of an answer by its id, such as <c>rs_N</c>; null where none is kept.</summary>
    /// <exception cref="FaultException">The items have too many bytes together.</exception>
    public JsonElement? Find(string id)
    {
        if (ItemIds.NumberOf(id) is not { } number)
            return null;
        if (!_outputs.TryGetValue(number, out IReadOnlyList<JsonElement>? items))
            _outputs[number] = items = store.Find(scope, $"resp_{number}")?.OutputItems() ?? [];
        foreach (JsonElement item in items)
            if (item.GetProperty("id").ValueEquals(id))
                return Counted(item);
        return null;
    }

    private JsonElement Counted(JsonElement item)
    {
        _bytes += JsonMarshal.GetRawUtf8Value(item).Length;
        return _bytes <= mostBytes ? item : throw new FaultException(KnownFaults.TooLargeReferences(mostBytes));
    }
}
