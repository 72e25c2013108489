using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace GptOss.AspNetCore.Wire;

/// <summary>How all that the server sends is written: by generated code, names in snake case.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(OpenAiError))]
[JsonSerializable(typeof(ChatCompletion))]
[JsonSerializable(typeof(ChatChunk))]
[JsonSerializable(typeof(CountedChatChunk))]
[JsonSerializable(typeof(ResponseObject))]
[JsonSerializable(typeof(ResponseEvent))]
[JsonSerializable(typeof(ResponseErrorEvent))]
[JsonSerializable(typeof(DeletedResponse))]
[JsonSerializable(typeof(StoredItems))]
[JsonSerializable(typeof(InputTokens))]
[JsonSerializable(typeof(MessageObject))]
[JsonSerializable(typeof(MessageEvent))]
[JsonSerializable(typeof(MessageTokens))]
[JsonSerializable(typeof(ListedModels))]
[JsonSerializable(typeof(ListedModel))]
[JsonSerializable(typeof(HealthReport))]
[JsonSerializable(typeof(TokenizeReply))]
internal sealed partial class WireJson : JsonSerializerContext
{
    /// <summary>
    /// With letters of every language as they are: what is escaped besides is needed by nobody but HTML.
    /// </summary>
    public static WireJson Readable =>
        field ??= new(
            new JsonSerializerOptions(Default.Options!) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }
        );
}
