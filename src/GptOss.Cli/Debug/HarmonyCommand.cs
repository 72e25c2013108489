using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using GptOss.Cli.Shell;
using GptOss.Harmony;

namespace GptOss.Cli.Debug;

/// <summary>
/// <c>gptoss debug render</c> and <c>gptoss debug parse</c>: a case on standard input, its result on standard output.
/// </summary>
internal static class HarmonyCommand
{
    // Schemas of cases are nested deeply within them; the schema's own limit shall be the one that is met.
    private static readonly JsonDocumentOptions Reading = new() { MaxDepth = 1000 };

    public static Command Render() =>
        Create("render", "Messages to Harmony text or token ids; cases come as JSON on standard input.", special =>
            new RenderCases(special).Run
        );

    public static Command Parse() =>
        Create("parse", "Token ids to Harmony messages; cases come as JSON on standard input.", special =>
            new ParseCases(special).Run
        );

    private static Command Create(
        string name,
        string description,
        Func<SpecialTokens, Func<string, JsonElement, JsonNode>> runner
    )
    {
        var model = new Option<string?>("--model")
        {
            Description = "The folder of a model whose tokenizer is taken; the default is the published o200k_harmony.",
            HelpName = "DIR",
        };
        var command = new Command(name, description) { model };
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                string input = await Input.ReadAsync(null, "The case", cancellationToken).ConfigureAwait(false);
                SpecialTokens special = new(
                    (await TokenizerAsync(parsed.GetValue(model), cancellationToken).ConfigureAwait(false)).Inner
                );
                JsonNode result = Run(input, runner(special));
                using var output = new Output();
                output.WriteLine(result.ToJsonString());
                return 0;
            }
        );
        return command;
    }

    /// <summary>Runs one case, or an array of them.</summary>
    /// <exception cref="UsageException">The input is not JSON, or not a case.</exception>
    internal static JsonNode Run(string input, Func<string, JsonElement, JsonNode> run)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(input, Reading);
            return document.RootElement.ValueKind == JsonValueKind.Array
                ? new JsonArray([.. document.RootElement.EnumerateArray().Select(One)])
                : One(document.RootElement);
        }
        catch (JsonException e)
        {
            throw new UsageException(
                "Standard input is not a case with 'kind' and 'input', nor an array of such: "
                    + (
                        string.IsNullOrWhiteSpace(input) ? "it is empty."
                        : e.LineNumber is { } line
                            ? $"it is not valid JSON at line {line + 1}, byte {e.BytePositionInLine + 1}."
                        : "it is not valid JSON."
                    )
            );
        }
        catch (Exception e) when (e is KeyNotFoundException or FormatException or InvalidOperationException)
        {
            throw new UsageException(
                "Standard input is not a case with 'kind' and 'input', nor an array of such: a field is missing or of "
                    + "another kind. harmony-cases.json in the tests has examples."
            );
        }

        JsonNode One(JsonElement item) => run(item.GetProperty("kind").GetString() ?? "", item.GetProperty("input"));
    }

    private static async Task<GptOssTokenizer> TokenizerAsync(string? folder, CancellationToken cancellationToken)
    {
        if (folder is null)
            return GptOssTokenizer.O200kHarmony;
        GptOssModel model = await GptOssModel
            .LoadAsync(ModelChoice.Path(folder), new ModelOptions { Threads = 1 }, progress: null, cancellationToken)
            .ConfigureAwait(false);
        await using (model.ConfigureAwait(false))
            return model.Tokenizer;
    }
}
