using System.CommandLine;
using System.CommandLine.Help;
using GptOss.Cli.Bench;
using GptOss.Cli.Chat;
using GptOss.Cli.Convert;
using GptOss.Cli.Debug;
using GptOss.Cli.Inspect;
using GptOss.Cli.Models;
using GptOss.Cli.Run;
using GptOss.Cli.Serve;

namespace GptOss.Cli.Shell;

/// <summary>From the arguments to the exit code: 0 done, 2 wrong usage, 3 no answer came, 1 everything else.</summary>
internal static class CommandLine
{
    private static readonly ParserConfiguration Parsing = new()
    {
        EnablePosixBundling = false,
        // A prompt may begin with @; it names no file.
        ResponseFileTokenReplacer = null,
    };

    public static async Task<int> RunAsync(string[] args)
    {
        using var interruption = new Interruption();
        try
        {
            ParseResult parsed = Root(interruption).Parse(args.Length > 0 ? args : ["--help"], Parsing);
            UsageProblem.ThrowIfAny(parsed);
            return await parsed
                .InvokeAsync(
                    new InvocationConfiguration
                    {
                        EnableDefaultExceptionHandler = false,
                        ProcessTerminationTimeout = null,
                    },
                    interruption.Token
                )
                .ConfigureAwait(false);
        }
        catch (Exception e)
        {
            return Failure.Report(e, interruption.Token);
        }
    }

    private static Command Root(Interruption interruption) =>
        new("gptoss", "Runs, inspects and measures OpenAI's gpt-oss models on this machine's processor.")
        {
            RunCommand.Create(),
            ChatCommand.Create(interruption),
            ServeCommand.Create(interruption),
            PullCommand.Create(),
            ListCommand.Create(),
            RemoveCommand.Create(),
            DoctorCommand.Create(),
            InspectCommand.Create(),
            ConvertCommand.Create(),
            BenchCommand.Create(),
            new Command("debug", "Shows what happens inside, for programs to read.")
            {
                LogitsCommand.Create(),
                TokensCommand.Create(),
                HarmonyCommand.Render(),
                HarmonyCommand.Parse(),
            },
            new HelpOption { Recursive = true },
            new VersionOption(),
        };
}
