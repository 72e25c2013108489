using System.CommandLine;
using System.CommandLine.Parsing;
using System.Diagnostics;
using System.Text.Json;
using GptOss.Cli.Shell;
using GptOss.Constraints;
using GptOss.Tokenization;

namespace GptOss.Cli.Bench.Corpora;

/// <summary>
/// <c>gptoss bench constraints</c>: how fast, and how right, answers are held to the schemas of a corpus. No model is
/// needed.
/// </summary>
internal static class ConstraintsCommand
{
    public static Command Create()
    {
        var corpus = new Option<string>("--corpus")
        {
            Description =
                "The folder with files of schemas, texts and verdicts that end in .jsonl. On each line {\"id\", "
                + "\"schema\", \"tests\": [{\"data\" or \"text\", \"valid\"}, …]}. The schemas of files called field "
                + "or tools are read as an answer's are by default, others to the letter of the standard.",
            HelpName = "FOLDER",
            Required = true,
        };
        var json = new Option<bool>("--json") { Description = "One JSON object instead of tables." };
        var command = new Command(
            "constraints",
            "Measures how fast and how right answers are held to JSON Schemas: compiling, masks, verdicts. No model."
        )
        {
            corpus,
            json,
        };
        command.SetAction(
            (parsed, cancellationToken) =>
            {
                RefuseOptionsOfBench(parsed);
                ConstraintsResult result = Run(parsed.GetRequiredValue(corpus), cancellationToken);
                if (parsed.GetValue(json))
                {
                    using var output = new Output();
                    output.WriteLine(JsonSerializer.Serialize(result, Json.Readable.ConstraintsResult));
                }
                else
                    Sheet.Write(CorpusSheets.Of(result));
                return Task.FromResult(0);
            }
        );
        return command;
    }

    // They would be read and have no effect, --json before the command among them.
    private static void RefuseOptionsOfBench(ParseResult parsed)
    {
        if (
            parsed.CommandResult.Parent is CommandResult bench
            && bench.Children.OfType<OptionResult>().FirstOrDefault(option => !option.Implicit) is { } stray
        )
            throw new UsageException(
                $"{stray.Option.Name} before 'constraints' belongs to the measurement of a model. Options of this one "
                    + "stand behind it."
            );
    }

    private static ConstraintsResult Run(string folder, CancellationToken cancellationToken)
    {
        IReadOnlyList<CorpusFile> files = CorpusFile.Of(folder);
        Tokenizer tokenizer = Tokenizer.O200kHarmony;
        long began = Stopwatch.GetTimestamp();
        VocabularyMasks vocabulary = VocabularyMasks.Of(tokenizer);
        double vocabularyMs = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        return new ConstraintsResult
        {
            VocabularyTokens = vocabulary.Size,
            VocabularyMs = vocabularyMs,
            Corpora = [.. files.Select(file => CorpusWalk.Run(file, tokenizer, cancellationToken))],
        };
    }
}
