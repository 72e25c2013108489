using System.Diagnostics;
using GptOss.Cli.Answer;
using GptOss.Cli.Shell;
using Microsoft.Extensions.AI;

namespace GptOss.Cli.Chat;

/// <summary>
/// Reads what the person says, line by line, and answers or obeys until the end of the input or <c>/exit</c>.
/// </summary>
internal sealed class ChatLoop : IDisposable
{
    private readonly GptOssChatClient _client;
    private readonly ChatOptions _options;
    private readonly Screen _screen = new();
    private readonly LineReader _reader;
    private readonly CtrlC _ctrlC;
    private readonly bool _isInteractive;
    private readonly ChatStats _stats = new();
    private readonly SlashCommands _commands;

    /// <param name="model">The model that answers.</param>
    /// <param name="options">What stays the same in the whole conversation; the instructions begin it.</param>
    /// <param name="effort">How long the model thinks until <c>/effort</c> says otherwise.</param>
    public ChatLoop(GptOssModel model, ChatOptions options, string effort)
    {
        _isInteractive = _screen.IsTerminal && !Console.IsInputRedirected;
        _client = model.AsChatClient();
        _options = options;
        _reader = new LineReader(prompt => Decorate(prompt));
        _ctrlC = new CtrlC(WarnOfEnd);
        var conversation = new Conversation { Effort = effort, System = options.Instructions };
        // On a terminal a dimmed thought disturbs nobody; among plain lines it could not be told from the answer.
        ReasoningView view = _screen.CanStyle ? ReasoningView.Shown : ReasoningView.Folded;
        _commands = new SlashCommands(
            _screen,
            conversation,
            view,
            () => _stats.Sheet(CountTokens(), model.ContextLength),
            isPerson: !Console.IsInputRedirected
        );
        Decorate($"{model.Name}. /help lists the commands.\n");
    }

    /// <summary>Handles one Ctrl+C; returns false where the tool should end.</summary>
    public bool HandleCtrlC() => _ctrlC.Handle();

    /// <summary>
    /// Runs the conversation; returns the exit code, which for a script tells whether something went wrong.
    /// </summary>
    public async Task<int> RunAsync(CancellationToken end)
    {
        bool hasFailed = false;
        while (!_commands.IsOver)
        {
            if (await _reader.ReadAsync(end).ConfigureAwait(false) is not { } line)
            {
                Decorate("\n"); // the input ended without a line feed behind the prompt
                break;
            }
            _ctrlC.ForgetWarning();
            if (line.Trim().Length == 0)
                continue;
            try
            {
                if (!line.StartsWith('/'))
                    await AskAsync(line, end).ConfigureAwait(false);
                else if (line.StartsWith("//", StringComparison.Ordinal))
                    await AskAsync(line[1..], end).ConfigureAwait(false);
                else
                    _commands.Run(line);
            }
            // Whoever reads standard output has gone away; everything else leaves the conversation as it was.
            catch (Exception e) when (e is not (OutputException or OperationCanceledException))
            {
                Failure.Report(e, end);
                hasFailed = true;
            }
        }
        return hasFailed && !_isInteractive ? Failure.Error : 0;
    }

    public void Dispose()
    {
        _client.Dispose();
        _reader.Dispose();
        _screen.Dispose();
    }

    private static void Configure(FunctionInvokingChatClient caller)
    {
        // It is the person's own machine, so the model may see why a function failed; failures do not end the answer,
        // but after ten rounds of calls the model has to answer without functions.
        caller.IncludeDetailedErrors = true;
        caller.MaximumConsecutiveErrorsPerRequest = int.MaxValue;
        caller.MaximumIterationsPerRequest = 10;
    }

    /// <summary>
    /// Makes the caller of functions for one answer: what failed twice in the same way is not tried a third time.
    /// </summary>
    private FunctionInvokingChatClient Caller(RepeatedFailure failures)
    {
        var caller = new FunctionInvokingChatClient(_client) { FunctionInvoker = failures.InvokeAsync };
        Configure(caller);
        return caller;
    }

    private async Task AskAsync(string text, CancellationToken end)
    {
        Conversation conversation = _commands.Conversation;
        var question = new ChatMessage(ChatRole.User, text);
        List<ChatResponseUpdate> updates = [];
        var view = new TextView(_screen, _commands.Reasoning);
        bool isWhole = false;
        long asked = Stopwatch.GetTimestamp(),
            began = asked;
        var failures = new RepeatedFailure();
        FunctionInvokingChatClient caller = Caller(failures); // not disposed: that would dispose the client
        using var status = new StatusLine();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(end);
        _ctrlC.BeginAnswer(stop);
        try
        {
            await foreach (
                ChatResponseUpdate update in caller
                    .GetStreamingResponseAsync(
                        [.. conversation.Messages, question],
                        Options(conversation, status),
                        stop.Token
                    )
                    .ConfigureAwait(false)
            )
            {
                if (updates.Count == 0)
                    began = Stopwatch.GetTimestamp();
                status.Dispose();
                updates.Add(update);
                foreach (AIContent content in update.Contents)
                    view.Show(content);
            }
            isWhole = true;
        }
        catch (OperationCanceledException) when (!end.IsCancellationRequested)
        {
            // The person stopped the answer; the part that came until then stays.
        }
        catch when (updates.Count > 0)
        {
            _screen.WriteLine();
            throw;
        }
        finally
        {
            status.Dispose();
            _ctrlC.EndAnswer();
        }
        ChatResponse answer = updates.ToChatResponse();
        view.End(answer);
        conversation.Add(question, answer.Messages, isWhole);
        _stats.Add(answer.Usage, asked, began);
        if (!isWhole)
            Decorate("(stopped)\n");
        else if (failures.Stopped is { } function)
            Failure.WriteLine(
                $"The answer ends here because '{Printable.Name(function)}' failed twice in the same way."
            );
        else if (MissingAnswer.Explain(answer, _options.MaxOutputTokens) is { } why)
            Failure.WriteLine(why);
        else if (answer.FinishReason == ChatFinishReason.Length)
            Failure.WriteLine("The answer ends here because it reached --max-tokens or the end of the context.");
    }

    private ChatOptions Options(Conversation conversation, StatusLine? status = null)
    {
        ChatOptions options = _options.Clone();
        options.RawRepresentationFactory = _ => new GptOssRequestOptions { PromptProgress = status };
        options.Instructions = conversation.System;
        options.Reasoning = new ReasoningOptions
        {
            Effort = AnswerOptions.Effort(conversation.Effort),
            Output = ReasoningOutput.Full,
        };
        options.Tools = conversation.HasTools ? [.. ChatTools.All] : null;
        return options;
    }

    private int CountTokens() => _client.CountTokens(_commands.Conversation.Messages, Options(_commands.Conversation));

    private void WarnOfEnd()
    {
        const string Warning = "Ctrl+C once more, or /exit, ends the conversation.";
        if (_isInteractive)
            Decorate($"\n{Warning}\n> ");
        else
            Failure.WriteLine(Warning);
    }

    /// <summary>Writes what only a person at a terminal wants to see.</summary>
    private void Decorate(string text)
    {
        if (_isInteractive)
            _screen.WriteDimmed(text);
    }
}
