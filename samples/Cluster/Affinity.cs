using System.Text.Json;
using System.Text.RegularExpressions;

namespace GptOss.Samples.Cluster;

/// <summary>What a request says of the node that should answer it.</summary>
/// <param name="Node">The two digits of the node that has stored what the request builds on; null for none.</param>
/// <param name="Key">What requests of one conversation have in common; null where nothing is known of them.</param>
internal sealed partial record Affinity(string? Node, string? Key)
{
    private const int MostKeyLength = 64 << 10;

    private static readonly string[] SessionHeaders =
    [
        "x-session-id",
        "x-session-affinity",
        "x-claude-code-session-id",
    ];

    /// <summary>Whether another node may answer where the first one does not.</summary>
    public bool CanMove { get; set; }

    /// <summary>Reads a request, whose body can be read again afterwards.</summary>
    public static async Task<Affinity> OfAsync(HttpRequest request, CancellationToken stop)
    {
        request.EnableBuffering();
        JsonElement body = default;
        try
        {
            body = await JsonSerializer.DeserializeAsync<JsonElement>(request.Body, cancellationToken: stop);
        }
        catch (JsonException) { } // no body, or one whose fault a node will name
        request.Body.Position = 0;
        string? header = SessionHeaders
            .Select(name => (string?)request.Headers[name])
            .FirstOrDefault(id => id is not null);
        return new(
            NodeOf(request.Path) ?? NodeOf(Text(body, "previous_response_id")) ?? NodeOf(Reference(body)),
            Text(body, "prompt_cache_key") ?? header ?? Text(body, "user") ?? Beginning(body)
        );
    }

    // All ids of an answer are made of one number, whose first two digits are those of its node.
    private static string? NodeOf(string? text) =>
        text is not null && OwnId().Match(text) is { Success: true } id ? id.Groups[1].Value : null;

    private static string? Reference(JsonElement body) =>
        Items(body, "input")
            .Where(item => Text(item, "type") == "item_reference")
            .Select(item => Text(item, "id"))
            .FirstOrDefault();

    /// <summary>The instructions, the tools and all up to the first message of the user: how a prompt begins.</summary>
    private static string? Beginning(JsonElement body)
    {
        IEnumerable<JsonElement> first = ((string[])["system", "instructions", "tools"]).Select(name => Of(body, name));
        foreach (string history in (string[])["messages", "input"])
        {
            JsonElement[] items = [.. Items(body, history)];
            int user = Array.FindIndex(items, item => Text(item, "role") is "user");
            first = items.Length > 0 ? first.Concat(items.Take(user + 1)) : first.Append(Of(body, history));
        }
        string beginning = string.Concat(first.Select(part => part.ToString()));
        return beginning == "" ? null : beginning[..Math.Min(beginning.Length, MostKeyLength)];
    }

    private static JsonElement Of(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value)
            ? value
            : default;

    private static JsonElement.ArrayEnumerator Items(JsonElement element, string name) =>
        Of(element, name) is { ValueKind: JsonValueKind.Array } array ? array.EnumerateArray() : default;

    private static string? Text(JsonElement element, string name) =>
        Of(element, name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    [GeneratedRegex("(?:resp|rs|msg|fc|ctc|call)_([0-9a-f]{2})[0-9a-f]{30}")]
    private static partial Regex OwnId();
}
