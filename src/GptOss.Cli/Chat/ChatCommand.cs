using System.CommandLine;
using GptOss.Cli.Answer;
using GptOss.Cli.Shell;

namespace GptOss.Cli.Chat;

/// <summary><c>gptoss chat</c>: a conversation with a model. Uses the public API only.</summary>
internal static class ChatCommand
{
    public static Command Create(Interruption interruption)
    {
        var options = new AnswerOptions();
        var command = new Command("chat", "Holds a conversation with a model; /help in it lists its commands.");
        foreach (Option option in options.All)
            command.Add(option);
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                GptOssModel model = await Loading
                    .LoadAsync(options.Path(parsed), options.Model(parsed), cancellationToken)
                    .ConfigureAwait(false);
                await using (model.ConfigureAwait(false))
                {
                    using var loop = new ChatLoop(model, options.Chat(parsed), options.EffortName(parsed));
                    interruption.AtCtrlC = loop.HandleCtrlC;
                    try
                    {
                        return await loop.RunAsync(cancellationToken).ConfigureAwait(false);
                    }
                    finally
                    {
                        interruption.AtCtrlC = null;
                    }
                }
            }
        );
        return command;
    }
}
