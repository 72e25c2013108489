using GptOss.AspNetCore.Requests;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore;

/// <summary>What a request asks for, once a dialect has read it: nothing in it belongs to the dialect's JSON.</summary>
/// <remarks>A dialect adds what its writer must know in a record of its own.</remarks>
internal abstract record Ask
{
    /// <summary>The whole conversation, oldest message first.</summary>
    public required IReadOnlyList<ChatMessage> Messages { get; init; }

    /// <summary>What Microsoft.Extensions.AI has members for; tools and tool mode are in it.</summary>
    public required ChatOptions Options { get; init; }

    /// <summary>The options that only GptOss has.</summary>
    public required GptOssRequestOptions Own { get; init; }

    /// <summary>The model's name as the client gave it, which the answer repeats.</summary>
    public required string Model { get; init; }

    /// <summary>The effort that is used: low, medium or high.</summary>
    public required string Effort { get; init; }

    /// <summary>The tools that the request offers.</summary>
    public required AskedTools Tools { get; init; }

    /// <summary>Whether the answer comes as a stream of events.</summary>
    public bool IsStreamed { get; init; }

    /// <summary>Whether the stream tells how far the prompt is read.</summary>
    public bool WantsProgress { get; init; }

    /// <summary>Whether the client is shown the reasoning.</summary>
    public bool ShowsReasoning => Options.Reasoning?.Output != ReasoningOutput.None;

    /// <summary>The names of fields that are known and have no effect.</summary>
    public IReadOnlyList<string> Ignored { get; init; } = [];

    /// <summary>The place in the body of the schema of the answer.</summary>
    public string? FormatPlace { get; init; }

    /// <summary>The place in the body of a schema that cannot be held to.</summary>
    public string? PlaceOf(SchemaException error) =>
        error.Function is { } function ? Tools.Find(function)?.Place : FormatPlace;
}
