using Spectre.Console;

namespace GptOss.Cli.Shell;

/// <summary>Loads a model; where standard error is a terminal, shows there how far it has come.</summary>
internal static class Loading
{
    /// <summary>Loads a model, and says on standard error what the loading decided without certainty.</summary>
    public static async Task<GptOssModel> LoadAsync(
        string folder,
        ModelOptions options,
        CancellationToken cancellationToken
    )
    {
        GptOssModel model = await ShownAsync(folder, options, cancellationToken).ConfigureAwait(false);
        foreach (string note in model.Notes)
            Failure.WriteLine(note);
        return model;
    }

    private static Task<GptOssModel> ShownAsync(
        string folder,
        ModelOptions options,
        CancellationToken cancellationToken
    )
    {
        if (Console.IsErrorRedirected)
            return GptOssModel.LoadAsync(folder, options, progress: null, cancellationToken);

        IAnsiConsole terminal = AnsiConsole.Create(
            new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) }
        );
        return terminal
            .Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn())
            .StartAsync(async context =>
            {
                ProgressTask bar = context.AddTask("Loading", maxValue: 1);
                return await GptOssModel
                    .LoadAsync(folder, options, new Bar(bar), cancellationToken)
                    .ConfigureAwait(false);
            });
    }

    // Progress<T> would post to the thread pool, and the bar could move after the model is there.
    private sealed class Bar(ProgressTask task) : IProgress<LoadProgress>
    {
        public void Report(LoadProgress value)
        {
            task.Description = Markup.Escape(value.Stage);
            task.Value = value.Fraction;
        }
    }
}
