using System.Text.Json.Serialization;

namespace GptOss.AspNetCore.Wire;

/// <summary>The models that are served, in a form that OpenAI's, Anthropic's and others' clients read.</summary>
internal sealed record ListedModels(IReadOnlyList<ListedModel> Data)
{
    [JsonPropertyOrder(-1)]
    public string Object => "list";
    public bool HasMore => false;
    public string? FirstId => Data.Count > 0 ? Data[0].Id : null;
    public string? LastId => Data.Count > 0 ? Data[^1].Id : null;
}

/// <summary>A name under which the model is served.</summary>
internal sealed record ListedModel
{
    public required string Id { get; init; }
    public string Object => "model";
    public required long Created { get; init; }
    public string OwnedBy => "openai";
    public string Type => "model";
    public required string DisplayName { get; init; }
    public required string CreatedAt { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? MaxModelLen { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? ContextLength => MaxModelLen;
}

/// <summary>How the server is.</summary>
internal sealed record HealthReport(string Status)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Model { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Progress { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Reason { get; init; }
}

/// <summary>The tokens of a text or of a conversation's prompt.</summary>
internal sealed record TokenizeReply(
    IReadOnlyList<int> Tokens,
    int Count,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? MaxModelLen
);
