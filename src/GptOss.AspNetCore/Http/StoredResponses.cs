using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using GptOss.AspNetCore.Faults;
using GptOss.AspNetCore.State;
using GptOss.AspNetCore.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace GptOss.AspNetCore.Http;

/// <summary>The paths of answers of Responses that are stored.</summary>
/// <param name="store">Has the answers that are kept.</param>
/// <param name="dialect">The form of the errors.</param>
internal sealed class StoredResponses(ResponseStore store, Dialect dialect)
{
    /// <summary>Gives an answer back as it was, or forgets it.</summary>
    public Task AnswerAsync(HttpContext http, Visit visit)
    {
        string id = Id(http);
        if (HttpMethods.IsDelete(http.Request.Method))
            return store.Remove(visit.Scope, id)
                ? JsonReply.WriteAsync(http, new DeletedResponse(id), WireJson.Readable.DeletedResponse)
                : NotFoundAsync(http, visit, id);
        return store.Find(visit.Scope, id) is { } answer
            ? JsonReply.WriteAsync(http, answer.Response)
            : NotFoundAsync(http, visit, id);
    }

    /// <summary>Gives the items back that the answer's own request brought.</summary>
    public Task ItemsAsync(HttpContext http, Visit visit)
    {
        if (store.Find(visit.Scope, Id(http)) is not { } answer)
            return NotFoundAsync(http, visit, Id(http));
        JsonElement[] items = [.. answer.InputItems().Select((item, i) => WithId(item, answer.Number, i))];
        var list = new StoredItems(items, IdOf(items.FirstOrDefault()), IdOf(items.LastOrDefault()));
        return JsonReply.WriteAsync(http, list, WireJson.Readable.StoredItems);
    }

    /// <summary>Says how an answer is cancelled, since it is not by a path.</summary>
    public Task CancelAsync(HttpContext http, Visit visit) =>
        ErrorWriter.WriteAsync(
            http,
            dialect,
            new Fault(
                FaultKind.Invalid,
                "unsupported_parameter",
                "Only answers in the background are cancelled so, and there are none here: close the connection."
            ),
            visit
        );

    private static string Id(HttpContext http) => http.GetRouteValue("id") as string ?? "";

    private static string? IdOf(JsonElement item) =>
        item.ValueKind == JsonValueKind.Object ? item.GetProperty("id").ToString() : null;

    // Clients number their lists by the ids of the items, which they themselves need not give.
    private static JsonElement WithId(JsonElement item, string number, int index)
    {
        if (item.ValueKind != JsonValueKind.Object || item.TryGetProperty("id", out _))
            return item;
        var numbered = JsonObject.Create(item)!;
        string id = string.Create(CultureInfo.InvariantCulture, $"item_{number}_{index + 1}");
        numbered.Insert(0, "id", JsonValue.Create(id));
        return JsonElement.Parse(numbered.ToJsonString());
    }

    private Task NotFoundAsync(HttpContext http, Visit visit, string id) =>
        ErrorWriter.WriteAsync(
            http,
            dialect,
            new Fault(
                FaultKind.NotFound,
                "response_not_found",
                $"The response {Fault.Quote(id)} is not stored here, or no longer."
            ),
            visit
        );
}
