using System.CommandLine;
using GptOss.Cli.Bench;
using GptOss.Cli.Shell;

namespace GptOss.Cli.Models;

/// <summary><c>gptoss doctor</c>: what this machine can run, how fast, and what is wrong with the files.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var name = new Argument<string?>("NAME")
        {
            Description = "Looks at this model only.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var hash = new Option<bool>("--hash")
        {
            Description = "Reads every file whose name is its hash, and compares the two.",
        };
        var command = new Command("doctor", "Tells what this machine can run, how fast, and what is wrong.")
        {
            name,
            hash,
        };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                Values.RequireText(parsed, name);
                string? given = parsed.GetValue(name);
                IReadOnlyList<FoundModel> models = given is null ? GptOssFiles.List() : [GptOssFiles.Find(given)];
                double bandwidth = ReadBandwidth.Measure();
                var machine = new MachineSheets(bandwidth);
                List<string> problems = [];
                List<Sheet> sheets =
                [
                    machine.Machine(),
                    .. given is null ? [MachineSheets.Stores(models)] : Array.Empty<Sheet>(),
                ];
                PublishedShape[] published = given is null ? [PublishedShape.Small, PublishedShape.Large] : [];
                sheets.Add(machine.Models(models, published, problems));
                problems.AddRange(given is null ? Problems.OfMachineAndStores() : []);
                if (parsed.GetValue(hash))
                    problems.AddRange(
                        await Problems.OfHashesAsync(models, given is null, cancellation).ConfigureAwait(false)
                    );
                sheets.Add(
                    new Sheet(
                        problems.Count > 0 ? "problems"
                            : models.Count > 0 ? "no problem was found"
                            : "no problem was found; 'gptoss pull gpt-oss-20b' fetches a model",
                        [new("")],
                        [.. problems.Select(problem => new[] { problem })]
                    )
                );
                Sheet.Write(sheets);
                return problems.Count == 0 ? 0 : Failure.Error;
            }
        );
        return command;
    }
}
