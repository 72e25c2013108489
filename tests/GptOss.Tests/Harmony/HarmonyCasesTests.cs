using System.Text.Json;
using System.Text.Json.Nodes;
using GptOss.Cli.Debug;
using GptOss.Tests.Tokenization;

namespace GptOss.Tests.Harmony;

/// <summary>
/// The shared cases, whose results were confirmed with the reference library, through the tool's own commands.
/// </summary>
public sealed class HarmonyCasesTests
{
    private static readonly Dictionary<string, string> Cases = Read();

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Fact]
    public void There_are_122_cases() => Assert.Equal(122, Cases.Count);

    [Theory, MemberData(nameof(Names))]
    public void A_shared_case_gives_the_expected_result(string name)
    {
        JsonNode expected = JsonNode.Parse(Cases[name])!["expected"]!;
        string kind = JsonNode.Parse(Cases[name])!["kind"]!.GetValue<string>();
        bool isRender = kind.StartsWith("render", StringComparison.Ordinal);

        JsonNode actual = HarmonyCommand.Run(
            Cases[name],
            isRender ? new RenderCases(Markup.Special).Run : new ParseCases(Markup.Special).Run
        );

        // That there is an error is part of the result, its words are not.
        Assert.Equal(WithoutWords(expected).ToJsonString(), WithoutWords(Ordered(actual, expected)).ToJsonString());
    }

    [Fact]
    public void An_array_of_cases_gives_an_array()
    {
        string[] parse = [.. Cases.Values.Where(text => JsonNode.Parse(text)!["kind"]!.GetValue<string>() == "parse")];

        JsonNode results = HarmonyCommand.Run($"[{string.Join(',', parse)}]", new ParseCases(Markup.Special).Run);

        Assert.Equal(parse.Length, results.AsArray().Count);
    }

    private static Dictionary<string, string> Read()
    {
        using JsonDocument file = Vectors.Read("harmony", "harmony-cases.json");
        return file
            .RootElement.EnumerateArray()
            .ToDictionary(item => item.GetProperty("name").GetString()!, item => item.GetRawText());
    }

    private static JsonNode WithoutWords(JsonNode result)
    {
        JsonNode copy = result.DeepClone();
        if (copy is JsonObject { } answer)
        {
            IEnumerable<JsonNode?> steps = answer["steps"] as JsonArray ?? [];
            foreach (
                JsonObject part in steps.OfType<JsonObject>().Append(answer).Where(part => part.ContainsKey("error"))
            )
                part["error"] = "";
        }
        return copy;
    }

    /// <summary>
    /// The same with the members of each object in the order of the expected ones, which has no meaning.
    /// </summary>
    private static JsonNode Ordered(JsonNode actual, JsonNode expected)
    {
        if (actual is JsonObject ours && expected is JsonObject theirs)
        {
            var ordered = new JsonObject();
            foreach (
                string name in theirs
                    .Select(member => member.Key)
                    .Where(ours.ContainsKey)
                    .Concat(ours.Select(member => member.Key).Where(name => !theirs.ContainsKey(name)))
            )
                ordered[name] = Pair(ours[name], theirs[name]);
            return ordered;
        }
        if (actual is JsonArray list && expected is JsonArray model)
            return new JsonArray([.. list.Select((item, i) => Pair(item, i < model.Count ? model[i] : null))]);
        return actual.DeepClone();

        static JsonNode? Pair(JsonNode? a, JsonNode? b) => a is null || b is null ? a?.DeepClone() : Ordered(a, b);
    }
}
