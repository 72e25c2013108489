using System.Text.Json;
using GptOss.AspNetCore.Faults;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Requests;

/// <summary>Reads what form the answer shall have.</summary>
internal static class ChatFormat
{
    /// <summary>The form, and the place of its schema; null where any text will do.</summary>
    /// <param name="format">The field <c>response_format</c>, or <c>text.format</c>.</param>
    /// <param name="options">The options that were read, whose stop sequences exclude a form.</param>
    /// <param name="isFlat">Whether the schema lies in the field itself, as Responses has it, and not in an object
    /// named <c>json_schema</c>.</param>
    /// <exception cref="FaultException">The form is none that is known, or its schema is missing.</exception>
    public static (ChatResponseFormat?, string? Place) Read(WireValue format, ChatOptions options, bool isFlat = false)
    {
        if (format.IsAbsent)
            return default;
        string type = format["type"]
            .Needed("text, json_object or json_schema")
            .Word("text", "json_object", "json_schema")!;
        if (type == "text")
            return default;
        if (options.StopSequences is { Count: > 0 })
            throw format.WrongValue("left out beside 'stop', which would cut an answer in JSON", "there");
        if (type == "json_object")
        {
            WireValue schema = format["schema"];
            return schema.IsAbsent
                ? (ChatResponseFormat.Json, schema.Place)
                : (ChatResponseFormat.ForJsonSchema(Schema(schema)), schema.Place);
        }
        WireValue named = isFlat ? format : format["json_schema"].Needed("an object with a schema");
        WireValue inner = named["schema"].Needed("a JSON Schema");
        return (
            ChatResponseFormat.ForJsonSchema(Schema(inner), named["name"].Text(128), named["description"].Text()),
            inner.Place
        );
    }

    private static JsonElement Schema(WireValue schema)
    {
        JsonElement copy = schema.Copy();
        return copy.ValueKind is JsonValueKind.Object or JsonValueKind.True
            ? copy
            : throw schema.Wrong("invalid_schema", $"'{schema.Place}' should be a JSON Schema that allows a value.");
    }
}
