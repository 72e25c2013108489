using System.Text.Json;
using GptOss.AspNetCore.Faults;
using GptOss.AspNetCore.Wire;

namespace GptOss.AspNetCore;

/// <summary>What the dialects of OpenAI share: the form of an error.</summary>
internal abstract class OpenAiDialect : Dialect
{
    public override byte[] ErrorBody(Fault fault, string requestId) =>
        JsonSerializer.SerializeToUtf8Bytes(OpenAiError.Of(fault), WireJson.Readable.OpenAiError);
}
