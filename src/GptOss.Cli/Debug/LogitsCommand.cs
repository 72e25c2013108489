using System.CommandLine;
using System.Text.Json;
using GptOss.Cli.Shell;

namespace GptOss.Cli.Debug;

/// <summary><c>gptoss debug logits</c>: the numbers behind a model's choice, as JSON.</summary>
internal static class LogitsCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("MODEL") { Description = "The model: a path or a name." };
        Option<string?> adapter = AdapterChoice.Option();
        var tokens = new Option<string>("--tokens")
        {
            Description = "The prompt's ids; a dash reads them from standard input.",
            HelpName = "1,2,3",
            Required = true,
        };
        var positions = new Option<string?>("--positions")
        {
            Description = "Positions whose logits are wanted; the default is the last.",
            HelpName = "0,2",
        };
        Option<int?> greedy = Values.Number(
            "--greedy",
            "Goes on for N tokens, always with the likeliest, past stop tokens too.",
            0,
            1 << 20
        );
        Option<int?> chunk = Values.Number(
            "--chunk",
            "Feeds the prompt in pieces of N tokens; the default is all at once.",
            1,
            int.MaxValue
        );
        Option<int?> interleave = Values.Number(
            "--interleave",
            "Runs N copies as one batch, shifted against each other.",
            1,
            64
        );
        Option<int?> threads = Values.Number(
            "--threads",
            "Threads that compute; the default is one per processor.",
            1,
            1024
        );
        Option<string> precision = PrecisionChoice.Option();
        Option<string> format = KeyValueChoice.Option();

        var command = new Command("logits", "The logits of a prompt and the greedy answer, as JSON.")
        {
            folder,
            adapter,
            tokens,
            positions,
            greedy,
            chunk,
            interleave,
            threads,
            precision,
            format,
        };
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                string list = await Input
                    .ReadAsync(parsed.GetRequiredValue(tokens), "--tokens", cancellationToken)
                    .ConfigureAwait(false);
                int[] prompt = Values.ParseIds(list, "--tokens");
                var request = new LogitsRequest(
                    ModelChoice.Path(parsed.GetRequiredValue(folder)),
                    prompt.Length > 0
                        ? prompt
                        : throw new UsageException("--tokens holds no ids. A prompt has at least one."),
                    Positions(parsed.GetValue(positions), prompt.Length),
                    parsed.GetValue(greedy) ?? 0,
                    parsed.GetValue(chunk),
                    parsed.GetValue(interleave) ?? 1,
                    new ModelOptions
                    {
                        Adapter = AdapterChoice.Folder(parsed.GetValue(adapter)),
                        Threads = parsed.GetValue(threads),
                        Precision = PrecisionChoice.Of(parsed.GetValue(precision)),
                        KeyValueFormat = KeyValueChoice.Format(parsed.GetRequiredValue(format)),
                    }
                );
                LogitsResult result = LogitsProbe.Run(request, cancellationToken);
                using var output = new Output();
                output.WriteLine(JsonSerializer.Serialize(result, Json.Readable.LogitsResult));
                return 0;
            }
        );
        return command;
    }

    private static int[] Positions(string? list, int promptTokens)
    {
        if (list is null)
            return [promptTokens - 1];
        int[] positions = [.. Values.ParseIds(list, "--positions").Distinct().Order()];
        return positions is [.., int last] && last >= promptTokens
            ? throw new UsageException(
                $"--positions holds {last}, but the prompt's last position is {promptTokens - 1}."
            )
            : positions;
    }
}
