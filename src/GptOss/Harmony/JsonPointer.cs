using System.Globalization;
using System.Text.Json;
using GptOss.Constraints.Schemas;

namespace GptOss.Harmony;

/// <summary>
/// Follows a reference within a JSON document, such as <c>#/$defs/City</c>, to the value that it names (RFC 6901, as a
/// fragment).
/// </summary>
internal static class JsonPointer
{
    /// <summary>Finds the value that a reference names; false if there is none.</summary>
    public static bool TryFind(JsonElement root, string reference, out JsonElement target)
    {
        target = root;
        if (reference == "#")
            return true;
        if (!reference.StartsWith("#/", StringComparison.Ordinal))
            return false;
        foreach (string step in reference[2..].Split('/'))
        {
            string name = SchemaPlace.Unescape(Uri.UnescapeDataString(step));
            switch (target.ValueKind)
            {
                case JsonValueKind.Object when JsonText.TryGet(target, name, out JsonElement member):
                    target = member;
                    break;
                case JsonValueKind.Array
                    when int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int index)
                        && index < target.GetArrayLength():
                    target = target[index];
                    break;
                default:
                    return false;
            }
        }
        return true;
    }
}
