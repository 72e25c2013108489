using System.CommandLine;
using System.Runtime.CompilerServices;
using GptOss.Cli.Shell;

namespace GptOss.Cli.Run;

/// <summary><c>gptoss run</c>: asks a model one question and writes the answer as it comes. Uses the public API only.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var prompt = new Argument<string?>("PROMPT")
        {
            Description = "The question, in quotation marks; a dash, or nothing at the end of a pipe, reads standard input.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<string?> model = ModelChoice.Option();
        Option<int?> maxTokens = Values.Number("--max-tokens", "Ends after N tokens, reasoning included.", 1, int.MaxValue);
        Option<float?> temperature = Values.Number(
            "--temperature", "0 always takes the likeliest token, 1 (the default) keeps the model's own distribution; at most 2.", 0f, 2f);
        Option<ulong?> seed = Values.Number("--seed", "The same seed gives the same answer.", 0ul, ulong.MaxValue);
        Option<int?> threads = Values.Number("--threads", "Threads that compute; the default is one per processor.", 1, 1024);
        var raw = new Option<bool>("--raw") { Description = "Takes the prompt as plain text to go on with, without the chat format." };

        var command = new Command("run", "Asks a model one question and writes its answer as it comes.")
        {
            prompt, model, maxTokens, temperature, seed, threads, raw,
        };
        command.SetAction((parsed, cancellationToken) => RunAsync(
            new RunRequest(
                parsed.GetValue(prompt),
                parsed.GetValue(model),
                parsed.GetValue(maxTokens),
                new SamplingOptions { Temperature = parsed.GetValue(temperature) ?? 1, Seed = parsed.GetValue(seed) },
                new ModelOptions { Threads = parsed.GetValue(threads) },
                parsed.GetValue(raw)),
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(RunRequest request, CancellationToken cancellationToken)
    {
        string text = await PromptAsync(request.Prompt, cancellationToken).ConfigureAwait(false);
        GptOssModel model = await Loading.LoadAsync(ModelChoice.Folder(request.Model), request.ModelOptions, cancellationToken)
            .ConfigureAwait(false);
        await using (model.ConfigureAwait(false))
        {
            GptOssTokenizer tokenizer = model.Tokenizer;
            IReadOnlyList<int> prompt = request.Raw
                ? tokenizer.Encode(text)
                : Conversation.Ask(tokenizer, text, DateOnly.FromDateTime(DateTime.Now));
            IAsyncEnumerable<int> answer = UntilEnd(
                model.Generate(prompt, request.Sampling, cancellationToken), model.StopTokens, request.MaxTokens, cancellationToken);
            if (!request.Raw)
                answer = FinalChannel.Of(answer, tokenizer, cancellationToken);

            using var output = new Output();
            bool silent = true;
            await foreach (string piece in tokenizer.DecodeAsync(answer, cancellationToken).ConfigureAwait(false))
            {
                output.Write(piece);
                silent &= piece.Length == 0;
            }
            output.Write("\n");
            if (silent && request.MaxTokens is { } limit)
                Failure.WriteLine($"No answer came within {limit} tokens. A model thinks before it answers: raise --max-tokens.");
        }
        return 0;
    }

    private static async Task<string> PromptAsync(string? argument, CancellationToken cancellationToken)
    {
        string text = await Input.ReadAsync(argument, "The prompt", cancellationToken).ConfigureAwait(false);
        if (!ReferenceEquals(text, argument))
            text = text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;
        return text.Length > 0 ? text : throw new UsageException("The prompt is empty. Give a question in quotation marks.");
    }

    /// <summary>The first tokens of the answer, without the stop token that ends it.</summary>
    private static async IAsyncEnumerable<int> UntilEnd(
        IAsyncEnumerable<int> tokens, IReadOnlyList<int> stopTokens, int? limit,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        int count = 0;
        await foreach (int token in tokens.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            if (stopTokens.Contains(token))
                yield break;
            yield return token;
            if (++count == limit)
                yield break;
        }
    }

    private sealed record RunRequest(
        string? Prompt, string? Model, int? MaxTokens, SamplingOptions Sampling, ModelOptions ModelOptions, bool Raw);
}
