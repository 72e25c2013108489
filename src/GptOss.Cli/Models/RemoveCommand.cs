using System.CommandLine;
using GptOss.Cli.Shell;
using GptOss.Hub;

namespace GptOss.Cli.Models;

/// <summary><c>gptoss remove</c>: takes a model out of Hugging Face's cache, and out of no other store.</summary>
internal static class RemoveCommand
{
    public static Command Create()
    {
        var name = new Argument<string>("NAME") { Description = $"The repository: {RepositoryName.Form}." };
        var revision = new Option<string?>("--revision")
        {
            Description = "A branch, a tag or a commit; the default is main.",
            HelpName = "R",
        };
        var partial = new Option<bool>("--partial")
        {
            Description = "Removes only what downloads left that did not end.",
        };
        var yes = new Option<bool>("--yes", "-y") { Description = "Asks nothing." };
        var command = new Command("remove", "Removes a model from Hugging Face's cache.")
        {
            name,
            revision,
            partial,
            yes,
        };
        command.SetAction(parsed =>
        {
            Values.RequireText(parsed, name, revision);
            string given = parsed.GetRequiredValue(name);
            HubRemoval removal = Removal(given, parsed.GetValue(revision), parsed.GetValue(partial));
            if (!parsed.GetValue(yes) && !IsAgreed(removal))
                return Failure.Error;
            removal.Run();
            using var output = new Output();
            output.WriteLine($"Removed {removal}.");
            return 0;
        });
        return command;
    }

    private static HubRemoval Removal(string given, string? revision, bool isPartial)
    {
        string own = given.StartsWith("hf:", StringComparison.OrdinalIgnoreCase) ? given[3..] : given;
        int at = own.IndexOf('@', StringComparison.Ordinal);
        if (at > 0 && revision is null)
            (own, revision) = (own[..at], own[(at + 1)..]);
        string hub = HubLayout.HubOf(Surroundings.OfProcess());
        HubRemoval? removal =
            !RepositoryName.TryParse(own, out RepositoryName repository) ? null
            : isPartial ? HubRemoval.OfPartial(new HubLayout(hub, repository))
            : HubRemoval.OfSnapshot(new HubLayout(hub, repository), revision);
        if (removal is not null)
            return removal;
        if (isPartial)
            throw new UsageException($"{given} has no download in {Printable.Path(hub)} that did not end.");
        if (repository != default && new HubLayout(hub, repository).Plans().Any())
            throw new UsageException(
                $"{given} is not complete: 'gptoss remove {repository.Short} --partial' removes what is here."
            );
        FoundModel model = GptOssFiles.Find(given); // else says what there is
        throw new UsageException(
            model.Store == ModelStore.HuggingFace
                ? $"{given} has no revision '{revision ?? RepositoryName.MainRevision}' in {Printable.Path(hub)}."
                : $"{model.Name} is not in Hugging Face's cache, and nothing else is removed here. {OwnWay(model)}"
        );
    }

    private static string OwnWay(FoundModel model) =>
        model.Store switch
        {
            ModelStore.Ollama => $"Ollama's own way: ollama rm {model.Name["ollama:".Length..]}",
            ModelStore.Docker => $"Docker's own way: docker model rm {model.Name["docker:".Length..]}",
            ModelStore.LmStudio => $"LM Studio's own way: 'My Models' in its window, or delete {model.Path}",
            _ => $"Delete it yourself: {model.Path}",
        };

    private static bool IsAgreed(HubRemoval removal)
    {
        if (Console.IsInputRedirected || Console.IsErrorRedirected)
            throw new UsageException($"--yes is needed where nobody can be asked. To be removed: {removal}.");
        Console.Error.Write($"Remove {removal}? [y/N] ");
        return Console.ReadLine()?.Trim().ToUpperInvariant() is "Y" or "YES";
    }
}
