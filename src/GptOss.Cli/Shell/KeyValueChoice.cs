using System.CommandLine;

namespace GptOss.Cli.Shell;

/// <summary>How a command's model stores keys and values: --kv.</summary>
internal static class KeyValueChoice
{
    private static readonly Dictionary<string, KeyValueFormat> Formats = Enum.GetValues<KeyValueFormat>()
        .ToDictionary(format => format.ToString().ToLowerInvariant());

    public static Option<string> Option()
    {
        var option = new Option<string>("--kv")
        {
            Description = "How keys and values are stored: exact, at half or at a quarter of the memory.",
            HelpName = string.Join('|', Formats.Keys),
            DefaultValueFactory = _ => "float32",
        };
        option.AcceptOnlyFromAmong([.. Formats.Keys]);
        return option;
    }

    /// <summary>The format of one of the names that the option accepts.</summary>
    public static KeyValueFormat Format(string name) => Formats[name];
}
