using System.CommandLine;
using GptOss.Cli.Answer;
using GptOss.Cli.Shell;
using Microsoft.Extensions.AI;

namespace GptOss.Cli.Run;

/// <summary>
/// <c>gptoss run</c>: asks a model one question and writes the answer as it comes. Uses the public API only.
/// </summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var prompt = new Argument<string?>("PROMPT")
        {
            Description =
                "The question, in quotation marks; a dash, or nothing at the end of a pipe, reads standard input.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var options = new AnswerOptions();
        var showReasoning = new Option<bool>("--show-reasoning")
        {
            Description = "Writes the reasoning too, above the answer.",
        };
        var json = new Option<bool>("--json")
        {
            Description = "Writes events, one JSON object a line; the last has the token counts.",
        };
        var raw = new Option<bool>("--raw")
        {
            Description = "Takes the prompt as plain text to go on with, without the chat format.",
        };

        var command = new Command("run", "Asks a model one question and writes its answer as it comes.")
        {
            prompt,
            showReasoning,
            json,
            raw,
        };
        var form = new FormOptions();
        foreach (Option option in (Option[])[.. form.All, .. options.All])
            command.Add(option);
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                bool isRaw = parsed.GetValue(raw);
                foreach (Option<bool> other in (Option<bool>[])[showReasoning, json])
                {
                    if (isRaw && parsed.GetValue(other))
                        throw new UsageException($"{other.Name} and --raw exclude each other: raw text has no parts.");
                }
                AnswerForm held = form.Read(parsed);
                if (isRaw && form.All.FirstOrDefault(option => parsed.GetResult(option) is not null) is { } given)
                    throw new UsageException($"{given.Name} belongs to the chat format, which --raw leaves out.");
                (SamplingOptions Sampling, int? MaxTokens)? rawOptions = isRaw ? options.Raw(parsed) : null;
                string text = await PromptAsync(parsed.GetValue(prompt), cancellationToken).ConfigureAwait(false);
                GptOssModel model = await Loading
                    .LoadAsync(options.Path(parsed), options.Model(parsed), cancellationToken)
                    .ConfigureAwait(false);
                await using (model.ConfigureAwait(false))
                {
                    if (rawOptions is not { } limits)
                        return await AskAsync(
                                model,
                                text,
                                options.Chat(parsed, held.Format, held.Grammar),
                                parsed.GetValue(showReasoning),
                                parsed.GetValue(json),
                                cancellationToken
                            )
                            .ConfigureAwait(false);
                    await ContinueAsync(model, text, limits.Sampling, limits.MaxTokens, cancellationToken)
                        .ConfigureAwait(false);
                    return 0;
                }
            }
        );
        return command;
    }

    /// <summary>Returns the exit code: that of a missing answer where none came.</summary>
    private static async Task<int> AskAsync(
        GptOssModel model,
        string question,
        ChatOptions options,
        bool showReasoning,
        bool json,
        CancellationToken cancellationToken
    )
    {
        using IChatClient client = model.AsChatClient();
        using var screen = new Screen();
        IAnswerView view = json
            ? new JsonView(screen)
            : new TextView(screen, showReasoning ? ReasoningView.Shown : ReasoningView.Hidden);
        List<ChatResponseUpdate> updates = [];
        using var status = new StatusLine();
        var own = options.RawRepresentationFactory?.Invoke(client) as GptOssRequestOptions ?? new();
        options.RawRepresentationFactory = _ => own with { PromptProgress = status };
        await foreach (
            ChatResponseUpdate update in client
                .GetStreamingResponseAsync(question, options, cancellationToken)
                .ConfigureAwait(false)
        )
        {
            updates.Add(update);
            foreach (AIContent content in update.Contents)
            {
                if (content is TextReasoningContent && !showReasoning && !json)
                    status.Think();
                else
                    status.Dispose();
                view.Show(content);
            }
        }
        status.Dispose();
        ChatResponse answer = updates.ToChatResponse();
        view.End(answer);
        if (MissingAnswer.Explain(answer, options.MaxOutputTokens) is not { } why)
            return 0;
        Failure.WriteLine(why);
        return Failure.NoAnswer;
    }

    private static async Task ContinueAsync(
        GptOssModel model,
        string text,
        SamplingOptions sampling,
        int? maxTokens,
        CancellationToken cancellationToken
    )
    {
        IAsyncEnumerable<int> tokens = model
            .Generate(model.Tokenizer.Encode(text), sampling, maxTokens, cancellationToken: cancellationToken)
            .Where(token => !model.StopTokens.Contains(token));
        using var screen = new Screen();
        await foreach (string piece in model.Tokenizer.DecodeAsync(tokens, cancellationToken).ConfigureAwait(false))
            screen.Write(piece);
        screen.WriteLine();
    }

    private static async Task<string> PromptAsync(string? argument, CancellationToken cancellationToken)
    {
        string text = await Input.ReadAsync(argument, "The prompt", cancellationToken).ConfigureAwait(false);
        if (!ReferenceEquals(text, argument))
            text =
                text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2]
                : text.EndsWith('\n') ? text[..^1]
                : text;
        return text.Length > 0
            ? text
            : throw new UsageException("The prompt is empty. Give a question in quotation marks.");
    }
}
