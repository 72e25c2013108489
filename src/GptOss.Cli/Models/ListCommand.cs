using System.CommandLine;
using System.Text.Json;
using GptOss.Cli.Shell;
using GptOss.Hub;

namespace GptOss.Cli.Models;

/// <summary><c>gptoss list</c>: the models that are on this machine, whoever fetched them.</summary>
internal static class ListCommand
{
    // Enough to tell commits and digests apart.
    private const int ShownDigits = 12;

    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "One JSON object instead of tables." };
        var command = new Command("list", "Lists the models in the stores of Hugging Face, Ollama and others.")
        {
            json,
        };
        command.SetAction(parsed =>
        {
            var list = ModelList.Here();
            if (parsed.GetValue(json))
            {
                using var output = new Output();
                output.WriteLine(JsonSerializer.Serialize(list, Json.Readable.ModelList));
            }
            else if (list.Models.Count + list.Partial.Count == 0)
                Failure.WriteLine("no model is in any store. 'gptoss pull gpt-oss-20b' fetches one (13.8 GB).");
            else
                Sheet.Write(Sheets(list));
            return 0;
        });
        return command;
    }

    private static IEnumerable<Sheet> Sheets(ModelList list)
    {
        if (list.Models.Count > 0)
            yield return new Sheet(
                "models, each by the name that --model takes",
                [new("name"), new("store"), new("format"), new("size", true), new("revision"), new("path")],
                [
                    .. list.Models.Select(model =>
                        new[]
                        {
                            Printable.Path(model.Name),
                            model.Store.ToString(),
                            model.Format.ToString(),
                            Sizes.Text(model.Bytes),
                            Shown(model.Revision ?? ""),
                            Printable.Path(model.Path),
                        }
                    ),
                ]
            );
        if (list.Partial.Count > 0)
            yield return new Sheet(
                "not complete",
                [new("name"), new("here", true), new("revision"), new("missing"), new("to go on")],
                [
                    .. list.Partial.Select(partial =>
                        new[]
                        {
                            partial.Name,
                            Sizes.Part(partial.HaveBytes, partial.TotalBytes),
                            Shown(partial.Revision),
                            partial.Missing is [var one] ? Printable.Name(one) : $"{partial.Missing.Count} files",
                            partial.Command,
                        }
                    ),
                ]
            );
    }

    private static string Shown(string revision) => revision[..Math.Min(ShownDigits, revision.Length)];
}
