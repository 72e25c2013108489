using System.CommandLine;

namespace GptOss.Cli.Shell;

/// <summary>
/// Which model a command works on: --model, else $GPTOSS_MODEL, else the tiny one that the tool brings along.
/// </summary>
internal static class ModelChoice
{
    private const string Variable = "GPTOSS_MODEL";

    public static Option<string?> Option() =>
        new("--model")
        {
            Description = $"The model's folder. Without it: ${Variable}, else the tiny model that comes with the tool.",
            HelpName = "DIR",
        };

    public static string Folder(string? given)
    {
        if (given is { Length: 0 })
            throw new UsageException("The model's folder is an empty text. Leave it out to take the tiny model.");
        string? variable = Environment.GetEnvironmentVariable(Variable);
        return given ?? (string.IsNullOrEmpty(variable) ? TinyGptOss.Folder : variable);
    }
}
