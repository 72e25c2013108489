using System.Text.Json;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Requests;

/// <summary>A function that the model may call and that the prompt does not list.</summary>
/// <param name="tool">The function that is hidden.</param>
internal sealed class HiddenTool(AIFunctionDeclaration tool) : AIFunctionDeclaration
{
    private static readonly Dictionary<string, object?> Hidden = new() { ["harmony.hidden"] = true };

    public override string Name => tool.Name;

    public override string Description => tool.Description;

    public override JsonElement JsonSchema => tool.JsonSchema;

    public override JsonElement? ReturnJsonSchema => tool.ReturnJsonSchema;

    public override IReadOnlyDictionary<string, object?> AdditionalProperties => Hidden;
}
