using System.Text.Json;
using GptOss.AspNetCore.Requests;

namespace GptOss.AspNetCore.State;

/// <summary>
/// Finds the stored items that one request refers to. Each answer is read once, however many references there are to
/// its items: a request may hold thousands, and an answer may be megabytes.
/// </summary>
/// <param name="store">Has the answers that are kept.</param>
/// <param name="scope">Whose answers are looked for.</param>
internal sealed class StoredItemFinder(ResponseStore store, string? scope)
{
    private readonly Dictionary<string, IReadOnlyList<JsonElement>> _outputs = [];

    /// <summary>An item of an answer by its id, such as <c>rs_N</c>; null where none is kept.</summary>
    public JsonElement? Find(string id)
    {
        if (ItemIds.NumberOf(id) is not { } number)
            return null;
        if (!_outputs.TryGetValue(number, out IReadOnlyList<JsonElement>? items))
            _outputs[number] = items = store.Find(scope, $"resp_{number}")?.OutputItems() ?? [];
        foreach (JsonElement item in items)
            if (item.GetProperty("id").ValueEquals(id))
                return item;
        return null;
    }
}
