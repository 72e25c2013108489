using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using GptOss.AspNetCore.Wire;

namespace GptOss.AspNetCore.Answers;

/// <summary>
/// The arguments of a call of Messages, which are an object: what the model wrote that is none, comes as the text of a
/// member of one, <c>{"_raw":"Lisbon"}</c>.
/// </summary>
internal sealed class ToolInput
{
    /// <summary>The member that holds what is no object.</summary>
    public const string RawMember = "_raw";

    private readonly StringBuilder _held = new();
    private bool _isObject;

    /// <summary>Takes what the model wrote next; returns what can be told of it by now.</summary>
    public string Append(string written)
    {
        if (_isObject)
            return written;
        _held.Append(written);
        string all = _held.ToString();
        if (!all.AsSpan().TrimStart().StartsWith('{'))
            return "";
        _isObject = true;
        _held.Clear();
        return all;
    }

    /// <summary>What was held back, once the call is complete or cut.</summary>
    public string End() => string.IsNullOrWhiteSpace(_held.ToString()) ? "" : Wrapped(_held.ToString());

    /// <summary>The whole arguments, out of all that was told of them.</summary>
    public static ToolInputText Whole(string told) =>
        string.IsNullOrWhiteSpace(told)
            ? ToolInputText.Nothing
            : new ToolInputText(IsObject(told) ? told : Wrapped(told));

    private static string Wrapped(string text) =>
        new JsonObject { [RawMember] = JsonValue.Create(text) }.ToJsonString(WireJson.Readable.Options);

    // An object may begin well and then break off.
    private static bool IsObject(string text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
