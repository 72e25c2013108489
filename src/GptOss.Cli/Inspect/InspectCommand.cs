using System.CommandLine;
using System.Text.Json;
using GptOss.Cli.Shell;

namespace GptOss.Cli.Inspect;

/// <summary><c>gptoss inspect</c>: what a model folder holds and what it takes to run it.</summary>
internal static class InspectCommand
{
    public static Command Create()
    {
        var folder = new Argument<string?>("MODEL")
        {
            Description = ModelChoice.Option().Description,
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<string?> model = ModelChoice.Option();
        Option<int?> context = Values.Number("--context", "Tokens for which to reckon the memory.", 1, int.MaxValue);
        var verify = new Option<bool>("--verify")
        {
            Description = "Reads every weight too, and fails where one is not finite.",
        };
        var json = new Option<bool>("--json") { Description = "One JSON object instead of tables." };
        var command = new Command("inspect", "Shows what a model folder holds and how much memory it needs.")
        {
            folder,
            model,
            context,
            verify,
            json,
        };
        command.SetAction(
            (parsed, cancellation) =>
            {
                if (parsed.GetValue(folder) is not null && parsed.GetValue(model) is not null)
                    throw new UsageException("MODEL and --model exclude each other: both name the model.");
                string path = ModelChoice.Path(parsed.GetValue(folder) ?? parsed.GetValue(model));
                int? tokens = parsed.GetValue(context);
                Inspection inspection = parsed.GetValue(verify)
                    ? Inspection.Verified(path, tokens, cancellation)
                    : Inspection.Of(path, tokens);
                if (parsed.GetValue(json))
                {
                    using var output = new Output();
                    output.WriteLine(JsonSerializer.Serialize(inspection, Json.Readable.Inspection));
                }
                else
                    Sheet.Write(InspectionSheets.Of(inspection));
                return Task.FromResult(0);
            }
        );
        return command;
    }
}
