using System.Text.Json;
using System.Text.Json.Nodes;
using GptOss.Cli.Shell;
using GptOss.Harmony;

namespace GptOss.Cli.Debug;

/// <summary>Cases of the kinds <c>render</c> (the result is text) and <c>render_tokens</c> (ids).</summary>
internal sealed class RenderCases(SpecialTokens special)
{
    private readonly HarmonyRenderer _renderer = new(special);

    /// <returns>The text or the ids; <c>{"error": …}</c> where the conversation cannot be rendered.</returns>
    public JsonNode Run(string kind, JsonElement input)
    {
        if (kind is not ("render" or "render_tokens"))
            throw new UsageException($"'gptoss debug render' takes the kinds render and render_tokens, not '{kind}'.");
        List<int> ids;
        try
        {
            ids = Render(input);
        }
        catch (HarmonyFormatException e)
        {
            return new JsonObject { ["error"] = e.Message };
        }
        return kind == "render"
            ? JsonValue.Create(special.Tokenizer.Decode(ids))
            : new JsonArray([.. ids.Select(id => JsonValue.Create(id))]);
    }

    private List<int> Render(JsonElement input)
    {
        HarmonyMessage[] messages = [.. input.GetProperty("messages").EnumerateArray().Select(Message)];
        string mode = Text(input, "mode") ?? "conversation";
        if (mode == "message")
            return _renderer.RenderMessage(
                messages.Length > 0 ? messages[0] : throw new UsageException("The case has no message.")
            );
        return _renderer.Render(
            messages,
            new RenderOptions
            {
                Form = mode switch
                {
                    "completion" => RenderForm.Completion,
                    "conversation" => RenderForm.Conversation,
                    "training" => RenderForm.Training,
                    _ => throw new UsageException($"There is no mode '{mode}'."),
                },
                NextRole = Role(Text(input, "next_role") ?? "assistant"),
                Analysis =
                    Get(input, "auto_drop_analysis")?.ValueKind == JsonValueKind.False
                        ? AnalysisMode.KeepAll
                        : AnalysisMode.HarmonyExact,
            }
        );
    }

    private static HarmonyMessage Message(JsonElement message) =>
        new(Role(Text(message, "role") ?? ""), Contents(message))
        {
            Name = Text(message, "name"),
            Recipient = Text(message, "recipient"),
            Channel = Text(message, "channel"),
            ContentType = Text(message, "content_type"),
        };

    private static HarmonyContent[] Contents(JsonElement message) =>
        Get(message, "content") switch
        {
            null => [],
            { ValueKind: JsonValueKind.String } text => [new HarmonyContent.PlainText(text.GetString()!)],
            { } parts => [.. parts.EnumerateArray().Select(Content)],
        };

    private static HarmonyContent Content(JsonElement part) =>
        Text(part, "type") switch
        {
            "text" => new HarmonyContent.PlainText(Text(part, "text") ?? ""),
            "system" => System(part),
            "developer" => new HarmonyContent.DeveloperInfo
            {
                Instructions = Text(part, "instructions"),
                Tools = Tools(part),
            },
            { } type => throw new UsageException($"There is no content of the type '{type}'."),
            null => throw new UsageException("A part of a message has no type."),
        };

    // An absent field means the default, null means that it is left out.
    private static HarmonyContent.SystemInfo System(JsonElement part)
    {
        var info = new HarmonyContent.SystemInfo { Tools = Tools(part) };
        if (part.TryGetProperty("model_identity", out JsonElement identity))
            info = info with { ModelIdentity = identity.GetString() };
        if (part.TryGetProperty("knowledge_cutoff", out JsonElement cutoff))
            info = info with { KnowledgeCutoff = cutoff.GetString() };
        if (part.TryGetProperty("current_date", out JsonElement date))
            info = info with { CurrentDate = date.GetString() };
        if (part.TryGetProperty("reasoning_effort", out JsonElement effort))
            info = info with { ReasoningEffort = ReasoningEffort(effort.GetString()) };
        if (part.TryGetProperty("channels", out JsonElement channels))
            info = info with { Channels = channels.ValueKind == JsonValueKind.Null ? [] : Strings(channels) };
        if (Get(part, "channel_required") is { } required)
            info = info with { ChannelRequired = required.GetBoolean() };
        return info;
    }

    private static Effort? ReasoningEffort(string? word) =>
        word switch
        {
            null => null,
            "low" => Effort.Low,
            "medium" => Effort.Medium,
            "high" => Effort.High,
            _ => throw new UsageException($"reasoning_effort should be low, medium or high, but is '{word}'."),
        };

    private static ToolNamespace[] Tools(JsonElement part) =>
        Get(part, "tools") is { } tools ? [.. tools.EnumerateArray().Select(Namespace)] : [];

    private static ToolNamespace Namespace(JsonElement tools) =>
        Text(tools, "builtin") switch
        {
            BuiltInTools.BrowserName => BuiltInTools.Browser,
            BuiltInTools.PythonName => BuiltInTools.Python,
            { } other => throw new UsageException($"There is no built-in tool '{other}'."),
            null => new ToolNamespace(
                Text(tools, "name") ?? "",
                Text(tools, "description"),
                Get(tools, "functions") is { } functions ? [.. functions.EnumerateArray().Select(Function)] : []
            ),
        };

    private static ToolFunction Function(JsonElement function) =>
        new(Text(function, "name") ?? "", Text(function, "description") ?? "", Get(function, "parameters"));

    private static HarmonyRole Role(string word) =>
        RoleNames.Parse(word) ?? throw new UsageException($"There is no role '{word}'.");

    private static string[] Strings(JsonElement array) =>
        [.. array.EnumerateArray().Select(item => item.GetString() ?? "")];

    private static string? Text(JsonElement value, string name) => Get(value, name)?.GetString();

    private static JsonElement? Get(JsonElement value, string name) =>
        value.TryGetProperty(name, out JsonElement member) && member.ValueKind != JsonValueKind.Null ? member : null;
}
