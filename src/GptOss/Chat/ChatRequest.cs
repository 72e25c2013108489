using GptOss.Generation;
using GptOss.Harmony;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>A request of <see cref="IChatClient"/> in the engine's terms, checked.</summary>
internal sealed record ChatRequest
{
    public required GenerationRequest Generation { get; init; }

    /// <summary>The beginning of the answer that the prompt already holds: a steered call, or the answer's channel.</summary>
    public required IReadOnlyList<int> Begun { get; init; }

    /// <summary>The offered functions, by the names that the model sees.</summary>
    public required IReadOnlyDictionary<string, string> FunctionNames { get; init; }

    public required ToolNames Tools { get; init; }

    public required IReadOnlyList<string> StopSequences { get; init; }

    /// <summary>Whether reasoning is part of the response.</summary>
    public required bool ShowsReasoning { get; init; }
}
