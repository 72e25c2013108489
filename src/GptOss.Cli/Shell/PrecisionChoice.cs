using System.CommandLine;

namespace GptOss.Cli.Shell;

/// <summary>How weights and activations are multiplied: --precision.</summary>
internal static class PrecisionChoice
{
    private const string Checkpoint = "checkpoint",
        Fast = "fast";

    public static Option<string> Option()
    {
        var option = new Option<string>("--precision")
        {
            Description =
                "checkpoint: the weights as stored, float32 activations. fast: int8 activations and "
                + "dense weights.",
            HelpName = $"{Checkpoint}|{Fast}",
            DefaultValueFactory = _ => Checkpoint,
        };
        option.AcceptOnlyFromAmong(Checkpoint, Fast);
        return option;
    }

    public static Precision Of(string? given) => given == Fast ? Precision.Fast : Precision.Checkpoint;

    public static string Name(Precision precision) => precision == Precision.Fast ? Fast : Checkpoint;
}
