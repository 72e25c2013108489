using System.CommandLine;
using GptOss.Cli.Shell;
using Spectre.Console;

namespace GptOss.Cli.Convert;

/// <summary><c>gptoss convert</c>: a model of any kind into a folder in the layout of Hugging Face.</summary>
internal static class ConvertCommand
{
    private const string Mxfp4 = "mxfp4",
        BFloat16 = "bf16";

    public static Command Create()
    {
        var source = new Argument<string>("IN")
        {
            Description = "The model: a path, or a name that 'gptoss list' shows.",
        };
        var target = new Argument<string>("OUT") { Description = "The folder that is made; it must not exist." };
        var experts = new Option<string?>("--experts")
        {
            Description = "How experts are stored. Without it: MXFP4 as it is, anything else in bf16.",
            HelpName = $"{Mxfp4}|{BFloat16}",
        };
        experts.AcceptOnlyFromAmong(Mxfp4, BFloat16);
        var adapter = new Option<string?>("--adapter")
        {
            Description = "The folder of a LoRA adapter (PEFT) that is merged into the weights.",
            HelpName = "DIR",
        };
        var command = new Command("convert", "Writes a model as a folder in the layout of Hugging Face.")
        {
            source,
            target,
            experts,
            adapter,
        };
        command.SetAction(
            (parsed, cancellationToken) =>
            {
                Values.RequireText(parsed, source, target, adapter);
                var conversion = new Conversion
                {
                    Source = ModelChoice.Path(parsed.GetRequiredValue(source)),
                    Target = parsed.GetRequiredValue(target),
                    Adapter = parsed.GetValue(adapter),
                    Experts = parsed.GetValue(experts) switch
                    {
                        Mxfp4 => ExpertForm.Mxfp4,
                        BFloat16 => ExpertForm.BFloat16,
                        _ => null,
                    },
                };
                return Task.Run(() => Run(conversion, cancellationToken), cancellationToken);
            }
        );
        return command;
    }

    // What is said goes to standard output when the bar on standard error is gone.
    private static int Run(Conversion conversion, CancellationToken cancellationToken)
    {
        var lines = new List<string>();
        if (Console.IsErrorRedirected)
            conversion.Run(lines.Add, _ => { }, cancellationToken);
        else
            AnsiConsole
                .Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) })
                .Progress()
                .AutoClear(true)
                .Columns(
                    new TaskDescriptionColumn(),
                    new ProgressBarColumn(),
                    new PercentageColumn(),
                    new RemainingTimeColumn()
                )
                .Start(context =>
                {
                    ProgressTask bar = context.AddTask("Writing", maxValue: 1);
                    conversion.Run(lines.Add, done => bar.Value = done, cancellationToken);
                });
        using var output = new Output();
        foreach (string line in lines)
            output.WriteLine(line);
        return 0;
    }
}
