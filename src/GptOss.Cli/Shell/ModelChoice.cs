using System.CommandLine;
using GptOss.Hub;

namespace GptOss.Cli.Shell;

/// <summary>
/// Which model a command works on: --model, else $GPTOSS_MODEL, else the tiny one that the tool brings along.
/// </summary>
internal static class ModelChoice
{
    private const string Variable = "GPTOSS_MODEL",
        Real = "gpt-oss-20b";

    public static Option<string?> Option() =>
        new("--model")
        {
            Description =
                $"A path, or a name such as {Real}, OWNER/NAME or ollama:gpt-oss:20b ('gptoss list' shows what is "
                + $"there). Without it: ${Variable}, else the tiny model that comes with the tool.",
            HelpName = "MODEL",
        };

    /// <summary>The path of the model; says on standard error what a name was taken for.</summary>
    /// <exception cref="CheckpointException">The name means no model of this machine.</exception>
    public static string Path(string? given)
    {
        if (given is { Length: 0 })
            throw new UsageException("The model's name is an empty text. Leave it out to take the tiny model.");
        return Named(given) is { } name ? PathOf(name) : TinyGptOss.Folder;
    }

    /// <summary>
    /// The path of the model that answers a person; where that is the tiny one, says so and how to get the real one.
    /// </summary>
    /// <inheritdoc cref="Path"/>
    public static string PathForAnswers(string? given)
    {
        string path = Path(given);
        if (Named(given) is null)
            Failure.WriteLine($"the tiny model answers, which knows little more than sums. {WayToTheRealOne()}");
        return path;
    }

    private static string? Named(string? given)
    {
        string? named = given ?? Environment.GetEnvironmentVariable(Variable);
        return string.IsNullOrEmpty(named) ? null : named;
    }

    // A folder is opened as it is, with the messages of whoever opens it. A file may be a part of a download.
    private static string PathOf(string name)
    {
        if (Directory.Exists(name))
            return name;
        FoundModel model = GptOssFiles.Find(name);
        if (model.Store != ModelStore.Path)
            Failure.WriteLine(
                $"{model.Name} ({model.Format.ToString().ToLowerInvariant()}, {Sizes.Text(model.Bytes)}): {model.Path}"
            );
        return model.Path;
    }

    private static string WayToTheRealOne() =>
        GptOssFiles.List() is [var there, ..]
            ? $"For one that is on this machine: --model {there.Name}"
            : $"For the real one: 'gptoss pull {Real}' (13.8 GB), then --model {Real}";
}
