using System.CommandLine;
using GptOss.Cli.Shell;

namespace GptOss.Cli.Connect;

/// <summary>
/// <c>gptoss connect</c>: prints the settings with which a program talks to the server, and writes nothing.
/// </summary>
internal static class ConnectCommand
{
    private static readonly string Names = string.Join(", ", KnownClient.All.Select(client => client.Name));

    public static Command Create()
    {
        var name = new Argument<string>("NAME") { Description = $"The program: {Names}." };
        var url = new Option<string>("--url")
        {
            Description = "The address of the server; the default is http://127.0.0.1:8000.",
            HelpName = "URL",
            DefaultValueFactory = _ => "http://127.0.0.1:8000",
        };
        var model = new Option<string?>("--model")
        {
            Description = "The model's name; the default is what the server says, else gpt-oss-20b.",
            HelpName = "NAME",
        };
        Option<int?> context = Values.Number(
            "--context",
            "The most tokens of prompt and answer together; the default is what the server says, else 131072.",
            1024,
            int.MaxValue
        );
        var command = new Command("connect", "Prints the settings of a program that shall talk to 'gptoss serve'.")
        {
            name,
            url,
            model,
            context,
        };
        command.SetAction(
            async (parsed, stop) =>
            {
                string wanted = parsed.GetRequiredValue(name);
                KnownClient client = KnownClient.All.FirstOrDefault(one => one.Name == wanted)
                    ?? throw new UsageException($"There are no settings for '{wanted}'. There are for {Names}.");
                ServerAddress server = await ServerAddress
                    .OfAsync(parsed.GetRequiredValue(url), parsed.GetValue(model), parsed.GetValue(context), stop)
                    .ConfigureAwait(false);
                using var output = new Output();
                output.Write(client.SettingsFor(server));
                Failure.WriteLine(client.Place);
                return 0;
            }
        );
        return command;
    }
}
