using System.Text.Json;
using System.Text.Json.Nodes;
using GptOss.Cli.Shell;
using GptOss.Harmony;

namespace GptOss.Cli.Debug;

/// <summary>
/// Cases of the kinds <c>parse</c> (the result is messages) and <c>stream</c> (what each token brings).
/// </summary>
/// <remarks>
/// With <c>"profile": "tolerant"</c> they go through the library's parser, else through the reference's.
/// </remarks>
internal sealed class ParseCases(SpecialTokens special)
{
    /// <returns>
    /// <c>{"messages": […]}</c>, or <c>{"error": …, "messages_before_error": […]}</c>; for a stream also
    /// <c>"steps"</c>, and <c>"messages"</c> in both cases.
    /// </returns>
    public JsonNode Run(string kind, JsonElement input)
    {
        if (kind is not ("parse" or "stream"))
            throw new UsageException($"'gptoss debug parse' takes the kinds parse and stream, not '{kind}'.");
        bool isStream = kind == "stream";
        IParserUnderCase parser = Parser(input);
        var steps = new JsonArray();
        string? error = null;
        foreach (int? token in Tokens(input))
        {
            error = token is { } id ? parser.Accept(id) : parser.Finish();
            if (isStream)
            {
                // An id of the case may lie beyond the ids that the parser has a type for.
                JsonNode? given = token is null ? null : JsonValue.Create(input.GetProperty("tokens")[steps.Count]);
                steps.Add((JsonNode)Step(given?.DeepClone(), error, parser.View()));
            }
            if (error is not null)
                break;
        }

        JsonArray messages = new([.. parser.Messages.Select(Message)]);
        if (isStream)
        {
            var result = new JsonObject { ["steps"] = steps, ["messages"] = messages };
            if (error is not null)
                result["error"] = error;
            return result;
        }
        return error is null
            ? new JsonObject { ["messages"] = messages }
            : new JsonObject { ["error"] = error, ["messages_before_error"] = messages };
    }

    private IParserUnderCase Parser(JsonElement input)
    {
        HarmonyRole? role =
            input.TryGetProperty("role", out JsonElement word) && word.ValueKind != JsonValueKind.Null
                ? RoleNames.Parse(word.GetString()) ?? throw new UsageException($"There is no role '{word}'.")
                : null;
        if (input.TryGetProperty("profile", out JsonElement profile) && profile.GetString() == "tolerant")
        {
            ToolNames tools = input.TryGetProperty("tools", out JsonElement names)
                ? new ToolNames(names.EnumerateArray().Select(name => name.GetString() ?? ""))
                : ToolNames.None;
            return new Tolerant(new HarmonyParser(special, role, tools));
        }
        bool isLenient =
            input.TryGetProperty("strict", out JsonElement strict) && strict.ValueKind == JsonValueKind.False;
        return new Reference(new ReferenceParser(special, role, !isLenient));
    }

    /// <summary>The ids, then null for the end of the stream if the case signals it.</summary>
    private static IEnumerable<int?> Tokens(JsonElement input)
    {
        foreach (JsonElement token in input.GetProperty("tokens").EnumerateArray())
            yield return token.TryGetInt32(out int id) ? id : -1;
        if (input.TryGetProperty("eos", out JsonElement end) && end.ValueKind == JsonValueKind.True)
            yield return null;
    }

    private static JsonObject Step(JsonNode? token, string? error, ParserView view) =>
        error is not null
            ? new JsonObject { ["token"] = token, ["error"] = error }
            : new JsonObject
            {
                ["token"] = token,
                ["state"] = view.State.ToString(),
                ["role"] = view.Role?.Word(),
                ["channel"] = view.Channel,
                ["recipient"] = view.Recipient,
                ["content_type"] = view.ContentType,
                ["delta"] = view.Delta,
                ["content"] = view.Content,
            };

    private static JsonObject Message(HarmonyMessage message)
    {
        var node = new JsonObject { ["role"] = message.Role.Word() };
        foreach (
            (string name, string? value) in new[]
            {
                ("name", message.Name),
                ("recipient", message.Recipient),
                ("channel", message.Channel),
                ("content_type", message.ContentType),
            }
        )
        {
            if (value is not null)
                node[name] = value;
        }
        node["content"] = message.Text;
        return node;
    }

    private interface IParserUnderCase
    {
        IReadOnlyList<HarmonyMessage> Messages { get; }

        ParserView View();

        /// <summary>Takes a token; returns what is wrong with it.</summary>
        string? Accept(int token);

        string? Finish();
    }

    private sealed class Reference(ReferenceParser parser) : IParserUnderCase
    {
        public IReadOnlyList<HarmonyMessage> Messages => parser.Messages;

        public ParserView View() => parser.View();

        public string? Accept(int token) => parser.Accept(token) ? null : parser.Error;

        public string? Finish() => parser.Finish() ? null : parser.Error;
    }

    private sealed class Tolerant(HarmonyParser parser) : IParserUnderCase
    {
        public IReadOnlyList<HarmonyMessage> Messages => parser.Messages;

        public ParserView View() => parser.View();

        public string? Accept(int token)
        {
            parser.Accept(token);
            return null;
        }

        public string? Finish()
        {
            parser.Finish();
            return null;
        }
    }
}
