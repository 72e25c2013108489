using System.Text.Json;

namespace GptOss.Chat;

/// <summary>
/// Reads a JSON array that the client had put into a message's additional properties, in whatever form the store of the
/// conversation gives it back: as JSON, as text, or as lists and dictionaries.
/// </summary>
/// <remarks>
/// The client puts a <see cref="JsonElement"/> there. A store may have made text, a node, or lists and dictionaries of
/// its own out of it, and another program may have put anything there.
/// </remarks>
internal static class StoredJson
{
    /// <summary>The list in a property's value; null where the value is not a list.</summary>
    public static JsonElement? List(object? stored)
    {
        try
        {
            JsonElement? json = stored switch
            {
                null => null,
                JsonElement element => element,
                string text => JsonElement.Parse(text),
                _ => ContentJson.Element(stored),
            };
            if (json is { ValueKind: JsonValueKind.String } written)
                json = JsonElement.Parse(written.GetString()!);
            return json is { ValueKind: JsonValueKind.Array } ? json : null;
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return null; // a value that cannot be read is not a list
        }
    }
}
