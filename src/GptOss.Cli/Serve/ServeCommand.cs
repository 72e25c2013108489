using System.CommandLine;
using GptOss.Cli.Shell;

namespace GptOss.Cli.Serve;

/// <summary>
/// <c>gptoss serve</c>: a model for clients of OpenAI's API on this machine. Uses the public API only.
/// </summary>
internal static class ServeCommand
{
    public static Command Create(Interruption interruption)
    {
        var options = new ServeOptions();
        var command = new Command(
            "serve",
            "Serves a model over HTTP to clients of OpenAI's and Anthropic's APIs, and to a browser."
        );
        foreach (Option option in options.All)
            command.Add(option);
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                await new ServeHost(options.Read(parsed), interruption)
                    .RunAsync(cancellationToken)
                    .ConfigureAwait(false);
                return 0;
            }
        );
        return command;
    }
}
