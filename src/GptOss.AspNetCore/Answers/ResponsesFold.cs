using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using GptOss.AspNetCore.Wire;

namespace GptOss.AspNetCore.Answers;

/// <summary>The events of Responses as one answer, which the last of them holds.</summary>
internal sealed class ResponsesFold : ReplyFold
{
    private ResponseObject? _last;

    public override void Send<T>(string? name, T data, JsonTypeInfo<T> type) =>
        _last = (data as ResponseEvent)?.Response ?? _last;

    public override byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(_last!, WireJson.Readable.ResponseObject);
}
