using System.CommandLine;

namespace GptOss.Cli.Shell;

/// <summary>The fine-tuning that is applied to a model: --adapter.</summary>
internal static class AdapterChoice
{
    private const string Name = "--adapter";

    public static Option<string?> Option() =>
        new(Name)
        {
            Description = "The folder of a LoRA adapter (PEFT) that is applied to the model.",
            HelpName = "DIR",
        };

    /// <exception cref="UsageException">The name is empty.</exception>
    public static string? Folder(string? given) =>
        given is not ""
            ? given
            : throw new UsageException($"{Name} is an empty text. Leave it out to take the model as it is.");
}
