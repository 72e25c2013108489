using System.CommandLine;

namespace GptOss.Cli.Shell;

/// <summary>Whether the weights are read into memory: --copy-to-memory.</summary>
internal static class CopyChoice
{
    public static Option<bool> Option() =>
        new("--copy-to-memory")
        {
            Description =
                "Reads the weights into memory instead of mapping their files, so that nothing that happens to the "
                + "files can end the process.",
        };
}
