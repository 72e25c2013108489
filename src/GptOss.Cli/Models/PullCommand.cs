using System.CommandLine;
using GptOss.Cli.Shell;
using GptOss.Hub;

namespace GptOss.Cli.Models;

/// <summary><c>gptoss pull</c>: downloads a model from Hugging Face's hub. Uses the public API only.</summary>
internal static class PullCommand
{
    public static Command Create()
    {
        var name = new Argument<string>("NAME") { Description = $"The repository: {RepositoryName.Form}." };
        var file = new Argument<string?>("FILE")
        {
            Description = "Of a repository with several GGUF files the one that is meant: a name, or Q4_K_M.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var revision = new Option<string?>("--revision")
        {
            Description = "A branch, a tag or a commit; the default is main.",
            HelpName = "R",
        };
        var to = new Option<string?>("--to")
        {
            Description = "Writes plain files into this folder instead of Hugging Face's cache.",
            HelpName = "DIR",
        };
        Option<int?> jobs = Values.Number("--jobs", "Files that are fetched at once; the default is 4.", 1, 16);
        var command = new Command("pull", "Downloads a model, or goes on with a download.")
        {
            name,
            file,
            revision,
            to,
            jobs,
        };
        command.SetAction(
            (parsed, cancellation) =>
            {
                Values.RequireText(parsed, name, file, revision, to);
                return RunAsync(
                    parsed.GetRequiredValue(name),
                    new HubOptions
                    {
                        File = parsed.GetValue(file),
                        Revision = parsed.GetValue(revision),
                        Folder = parsed.GetValue(to),
                        Jobs = parsed.GetValue(jobs) ?? HubOptions.Default.Jobs,
                    },
                    cancellation
                );
            }
        );
        return command;
    }

    private static async Task<int> RunAsync(string name, HubOptions options, CancellationToken cancellation)
    {
        string own = name.StartsWith("hf:", StringComparison.OrdinalIgnoreCase) ? name[3..] : name;
        if (!RepositoryName.TryParse(own, out RepositoryName repository))
            throw new UsageException($"'{name}' is no name of a repository: {RepositoryName.FormFor(own)}");
        var view = new PullView();
        try
        {
            string path = await view.ShowAsync(progress =>
                    GptOssHub.DownloadAsync(own, options, progress, cancellation)
                )
                .ConfigureAwait(false);
            string state = view.HasFetched ? "complete" : "up to date";
            Failure.WriteLine($"{repository.Short} is {state}. {Next(repository, options, path)}");
            using var output = new Output();
            output.WriteLine(path);
            return 0;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            Failure.WriteLine($"stopped. {view.Kept} '{Again(repository, options)}' goes on.");
            return Failure.Error;
        }
        catch (HubException e) when (e.Problem == HubProblem.Ambiguous)
        {
            throw new UsageException(e.Message);
        }
    }

    private static string Next(RepositoryName repository, HubOptions options, string path) =>
        File.Exists(Path.Join(path, "adapter_config.json"))
            ? "It is an adapter, which needs its base."
            : $"Try: gptoss chat --model {NameOf(repository, options, path)}";

    // The shortest that means these files: the repository, if it has nothing else here.
    private static string NameOf(RepositoryName repository, HubOptions options, string path)
    {
        if (options.Folder is not null || options.Revision is not null)
            return path;
        string[] names = [repository.Short, $"hf:{repository}/{Path.GetFileName(path)}"];
        return Array.Find(names, name => PathOf(name) == path) ?? path;
    }

    private static string? PathOf(string name)
    {
        try
        {
            return GptOssFiles.Find(name).Path;
        }
        catch (CheckpointException)
        {
            return null;
        }
    }

    private static string Again(RepositoryName repository, HubOptions options) =>
        DownloadPlan.CommandOf(repository, options.File, options.Revision ?? RepositoryName.MainRevision)
        + (options.Folder is { } folder ? $" --to {folder}" : "");
}
