using System.Text.Json;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Requests;

/// <summary>A function with marks that the client knows.</summary>
/// <param name="tool">The function that is marked.</param>
/// <param name="mark">
/// <c>harmony.hidden</c> for one that the model may call and the prompt does not list, <c>strict</c> for one whose
/// arguments are held to its schema; those that the function has already stay.
/// </param>
internal sealed class MarkedTool(AIFunctionDeclaration tool, string mark) : AIFunctionDeclaration
{
    public const string Hidden = "harmony.hidden",
        Strict = "strict";

    public override string Name => tool.Name;

    public override string Description => tool.Description;

    public override JsonElement JsonSchema => tool.JsonSchema;

    public override JsonElement? ReturnJsonSchema => tool.ReturnJsonSchema;

    public override IReadOnlyDictionary<string, object?> AdditionalProperties { get; } =
        new Dictionary<string, object?>(tool.AdditionalProperties) { [mark] = true };
}
