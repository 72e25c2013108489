using System.Text.Json;

namespace GptOss.AspNetCore.Requests;

/// <summary>What a request of Responses asks for.</summary>
internal sealed record ResponsesAsk : Ask
{
    /// <summary>Whose request it is; null where all are one.</summary>
    public string? Scope { get; init; }

    /// <summary>The items that the request brought, as a list in JSON; empty where they are not stored.</summary>
    public byte[] Input { get; init; } = [];

    /// <summary>Whether later requests can build on the answer.</summary>
    public bool IsStored { get; init; }

    /// <summary>The answer that the request builds on; null for none.</summary>
    public string? PreviousResponseId { get; init; }

    /// <summary>What stands before the conversation; null for nothing.</summary>
    public string? Instructions { get; init; }

    /// <summary>The kind of summary that the client wants; null where it wants the reasoning itself.</summary>
    public string? Summary { get; init; }

    /// <summary>Whether the client wants reasoning that it can send back without reading it.</summary>
    public bool WantsEncrypted { get; init; }

    /// <summary>What the answer repeats of the request.</summary>
    public required ResponsesEcho Echo { get; init; }
}

/// <summary>Fields of a request of Responses that its answer repeats as they came.</summary>
internal sealed record ResponsesEcho
{
    private static readonly JsonElement NoTools = JsonElement.Parse("[]"),
        Auto = JsonElement.Parse("\"auto\""),
        AnyText = JsonElement.Parse("""{"type":"text"}"""),
        Nothing = JsonElement.Parse("{}");

    public required JsonElement Tools { get; init; }
    public required JsonElement ToolChoice { get; init; }
    public required JsonElement Format { get; init; }
    public required JsonElement Metadata { get; init; }
    public required bool ParallelToolCalls { get; init; }
    public long? MaxToolCalls { get; init; }
    public string? SafetyIdentifier { get; init; }
    public string? PromptCacheKey { get; init; }
    public string? User { get; init; }

    /// <summary>The fields of a request.</summary>
    /// <exception cref="Faults.FaultException">A field is of another type than it should be.</exception>
    public static ResponsesEcho Of(WireValue body) =>
        new()
        {
            Tools = Copy(body["tools"], NoTools),
            ToolChoice = Copy(body["tool_choice"], Auto),
            Format = Copy(body["text"]["format"], AnyText),
            Metadata = Metadatum(body["metadata"]),
            ParallelToolCalls = body["parallel_tool_calls"].Flag() ?? true,
            MaxToolCalls = body["max_tool_calls"].Whole(1, int.MaxValue),
            SafetyIdentifier = body["safety_identifier"].Text(),
            PromptCacheKey = body["prompt_cache_key"].Text(),
            User = body["user"].Text(),
        };

    private static JsonElement Copy(WireValue field, JsonElement usual) => field.IsAbsent ? usual : field.Copy();

    private static JsonElement Metadatum(WireValue field)
    {
        const int Most = 16;
        int count = 0;
        foreach ((_, WireValue value) in field.Members("an object of texts"))
        {
            value.Needed("a text").Text();
            if (++count > Most)
                throw field.WrongValue("an object of at most 16 texts", "longer");
        }
        return Copy(field, Nothing);
    }
}
