using System.Text.Json;

namespace GptOss.Chat;

/// <summary>
/// JSON that a message carries in its properties, in whatever form it came back from where it was stored.
/// </summary>
/// <remarks>
/// The client puts a <see cref="JsonElement"/> there. A store may have made text, a node, or lists and dictionaries of
/// its own out of it, and a stranger may have put anything there.
/// </remarks>
internal static class StoredJson
{
    /// <summary>The list in a property; null where it holds none.</summary>
    public static JsonElement? List(object? stored)
    {
        try
        {
            JsonElement? json = stored switch
            {
                null => null,
                JsonElement element => element,
                string text => JsonElement.Parse(text),
                _ => ToolText.Element(stored),
            };
            if (json is { ValueKind: JsonValueKind.String } written)
                json = JsonElement.Parse(written.GetString()!);
            return json is { ValueKind: JsonValueKind.Array } ? json : null;
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return null; // what cannot be read says nothing
        }
    }
}
