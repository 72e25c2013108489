using System.Diagnostics;
using System.Runtime.CompilerServices;
using GptOss.Generation;
using GptOss.Harmony;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace GptOss.Chat;

/// <summary>
/// Runs chat requests from beginning to end: has each one read, submits its prompt to the model, and returns the
/// updates of the answer while the model makes it. Thread-safe; belongs to one client.
/// </summary>
/// <remarks>
/// The runner keeps nothing between two requests. The model, though, keeps an <see cref="AnswerMemory"/>, to which a
/// request with <see cref="GptOssRequestOptions.RecallAnswers"/> adds its answer, for the requests of all clients of
/// that model.
/// </remarks>
internal sealed class RequestRunner : IDisposable
{
    private readonly ChatSource _source;
    private readonly ILogger _logger;
    private readonly RequestReader _reader;
    private readonly HarmonyRenderer _renderer;
    private readonly CancellationTokenSource _closing = new();

    public RequestRunner(ChatSource source, ILogger logger)
    {
        _source = source;
        _renderer = new HarmonyRenderer(source.Special);
        _logger = logger;
        _reader = new RequestReader(source, logger);
    }

    /// <exception cref="ObjectDisposedException">The client was disposed.</exception>
    public void ThrowIfClosed()
    {
        if (_closing.IsCancellationRequested)
            throw Disposed();
    }

    /// <summary>Ends every answer under way with <see cref="ObjectDisposedException"/>.</summary>
    /// <remarks>
    /// The <see cref="CancellationTokenSource"/> is cancelled and never disposed: answers under way still read its
    /// token, and it holds no resources.
    /// </remarks>
    public void Dispose() => _closing.Cancel();

    /// <summary>The prompt that a request would have, even if it is too long.</summary>
    /// <inheritdoc cref="RequestReader.Read"/>
    public IReadOnlyList<int> EncodePrompt(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options,
        IChatClient client
    ) => _reader.Read([.. messages], options, Own(options, client), isLimited: false).Generation.Prompt;

    /// <summary>The prompt that a request would have, and the scope of its prefixes.</summary>
    /// <param name="messages">The caller's history, oldest message first.</param>
    /// <param name="options">The caller's options; null for the defaults.</param>
    /// <param name="client">The client that the options' factory is given.</param>
    /// <param name="isLimited">Whether a history that cannot fit into the context is refused.</param>
    /// <param name="cancellation">Ends the reading, also while it waits for its turn.</param>
    public async Task<(IReadOnlyList<int> Prompt, string? Scope)> PromptAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options,
        IChatClient client,
        bool isLimited,
        CancellationToken cancellation
    )
    {
        ChatRequest request = await ReadAsync([.. messages], options, Own(options, client), isLimited, cancellation)
            .ConfigureAwait(false);
        return (request.Generation.Prompt, request.Generation.Scope);
    }

    /// <summary>Runs a request, and returns its updates as the model makes the answer.</summary>
    /// <param name="messages">The caller's history, oldest message first.</param>
    /// <param name="options">The caller's options; null for the defaults.</param>
    /// <param name="client">The client that the options' factory is given.</param>
    /// <param name="isStream">Whether the caller sees each update, and not the whole answer alone.</param>
    /// <param name="cancellation">Ends the request early.</param>
    public async IAsyncEnumerable<ChatResponseUpdate> RunAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options,
        IChatClient client,
        bool isStream,
        [EnumeratorCancellation] CancellationToken cancellation = default
    )
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _closing.Token);
        IAsyncEnumerator<ChatResponseUpdate> updates = UpdatesAsync(
                [.. messages],
                options,
                Own(options, client),
                isStream,
                stop.Token
            )
            .GetAsyncEnumerator(CancellationToken.None);
        try
        {
            while (await NextAsync(updates, cancellation).ConfigureAwait(false))
                yield return updates.Current;
        }
        finally
        {
            await updates.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static GptOssRequestOptions Own(ChatOptions? options, IChatClient client) =>
        options?.RawRepresentationFactory?.Invoke(client) as GptOssRequestOptions ?? GptOssRequestOptions.Default;

    // The message names the model, since a program may hold clients of several models.
    private ObjectDisposedException Disposed() =>
        new(null, $"The client of the model '{Printable.Name(_source.ModelId)}' was disposed.");

    /// <summary>
    /// Takes the next update, and logs a failure. A cancellation becomes the exception that the caller expects: of the
    /// caller's own token, or of the client that was disposed.
    /// </summary>
    private async ValueTask<bool> NextAsync(
        IAsyncEnumerator<ChatResponseUpdate> updates,
        CancellationToken cancellation
    )
    {
        try
        {
            return await updates.MoveNextAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            ChatLog.Cancelled(_logger);
            throw new OperationCanceledException(cancellation);
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
            throw Disposed();
        }
        catch (Exception error) when (error is SchemaException or ContextLengthException or EngineBusyException)
        {
            // The caller is told. Many of them would fill the log, and the message may quote the request.
            ChatLog.Refused(_logger, error);
            throw;
        }
        catch (Exception error)
        {
            ChatLog.Failed(_logger, error);
            throw;
        }
    }

    private async IAsyncEnumerable<ChatResponseUpdate> UpdatesAsync(
        IReadOnlyList<ChatMessage> messages,
        ChatOptions? options,
        GptOssRequestOptions own,
        bool isStream,
        [EnumeratorCancellation] CancellationToken stop
    )
    {
        long start = Stopwatch.GetTimestamp();
        using QueuePlace place = _source.Tokens.Reserve(); // so that the queue's limit bounds those being read, too
        ChatRequest request = await ReadAsync(messages, options, own, isLimited: true, stop).ConfigureAwait(false);
        if (request.Generation.Prompt.Count >= _source.ContextLength)
            throw new ContextLengthException(request.Generation.Prompt.Count, _source.ContextLength);
        AnswerIds ids = AnswerIds.Of(own);
        string id = ids.Message;
        var answer = new AnswerTranslator(request, ids, isStream);
        LogBeginning(id, request, options);

        int cached = 0;
        for (GenerationRequest? generation = answer.First; generation is not null; )
        {
            using ITokenStream tokens = _source.Tokens.Submit(generation, stop, place);
            if (ReferenceEquals(generation, answer.First))
                yield return Update(id, []); // the request is accepted: a host can send its status now
            await foreach (GeneratedToken token in tokens.ReadAsync(stop).ConfigureAwait(false))
            {
                stop.ThrowIfCancellationRequested();
                List<AIContent> contents = answer.Accept(token);
                if (contents.Count > 0)
                    yield return Update(id, contents, answer.TakeProperties());
                if (answer.IsOver)
                    break;
            }
            cached += ReferenceEquals(generation, answer.First) ? tokens.CachedTokens : 0;
            List<AIContent> held = answer.Finish(tokens.End);
            if (held.Count > 0)
                yield return Update(id, held, answer.TakeProperties());
            generation = Continue(id, answer);
        }
        yield return Last(id, answer, request, cached, start);
    }

    // On a thread of the pool it delays neither the caller's thread nor the caller's cancellation.
    private Task<ChatRequest> ReadAsync(
        IReadOnlyList<ChatMessage> messages,
        ChatOptions? options,
        GptOssRequestOptions own,
        bool isLimited,
        CancellationToken stop
    ) =>
        ReadingTurns.OfProcess.RunAsync(
            own.CacheScope,
            () => _reader.Read(messages, options, own, isLimited, stop),
            stop
        );

    /// <summary>
    /// The generation in which the model tries again after a call that cannot be carried out; null if the answer ends.
    /// </summary>
    private GenerationRequest? Continue(string id, AnswerTranslator answer)
    {
        if (answer.Broken is not { } broken)
            return null;
        GenerationRequest? next = answer.TryContinue(_renderer, _source.ContextLength);
        string function = Printable.Name(broken.Content.Name);
        if (next is null)
            ChatLog.GivenUp(_logger, id, function);
        else
            ChatLog.Repaired(_logger, id, function, answer.Repairs);
        return next;
    }

    private void LogBeginning(string id, ChatRequest request, ChatOptions? options)
    {
        ChatLog.Started(_logger, id, request.Generation.Prompt.Count, request.Tools.Functions.Count);
        if (options?.ModelId is { Length: > 0 } wanted && Bare(wanted) != Bare(_source.ModelId))
            ChatLog.OtherModel(_logger, Printable.Name(wanted), Printable.Name(_source.ModelId));
        if (request.Constraint is { Relaxed.Count: > 0 } constraint)
            ChatLog.Relaxed(_logger, id, Printable.Line(string.Join(", ", constraint.Relaxed)));
        if (request.PassedOver.Count > 0 && _logger.IsEnabled(LogLevel.Debug))
            ChatLog.PassedOver(_logger, id, Printable.Line(string.Join(", ", request.PassedOver.Distinct())));

        // Some frameworks put an organisation such as "openai/" before a model's name, and others leave it out.
        static string Bare(string modelId) => modelId[(modelId.LastIndexOf('/') + 1)..].ToLowerInvariant();
    }

    /// <summary>The last update: usage, finish reason and properties. Also remembers and logs the answer.</summary>
    private ChatResponseUpdate Last(string id, AnswerTranslator answer, ChatRequest request, int cached, long start)
    {
        List<AIContent> rest = [.. answer.GiveUp(), new UsageContent(answer.Usage.ToDetails(cached))];
        ChatResponseUpdate last = Update(id, rest, answer.Properties());
        last.FinishReason = answer.FinishReason;
        if (request.RecallsAnswers)
            _source.Memory.Add(id, answer.Contents.Given, answer.Contents.Spoken, request.Generation.Scope);
        ChatLog.Finished(
            _logger,
            id,
            answer.FinishReason,
            answer.Usage.Output,
            answer.Usage.Reasoning,
            Stopwatch.GetElapsedTime(start)
        );
        if (
            answer.FinishReason == ChatFinishReason.Length
            && !request.IsLimited
            && answer.Usage.Output >= _source.MaxOutputTokens
        )
            ChatLog.Unlimited(_logger, id, _source.MaxOutputTokens);
        if (_logger.IsEnabled(LogLevel.Trace))
            ChatLog.Contents(_logger, id, _source.Tokenizer.Decode(answer.AllTokens));
        return last;
    }

    private ChatResponseUpdate Update(
        string id,
        List<AIContent> contents,
        AdditionalPropertiesDictionary? properties = null
    ) =>
        new()
        {
            Role = ChatRole.Assistant,
            Contents = contents,
            AdditionalProperties = properties,
            ResponseId = id,
            MessageId = id,
            ModelId = _source.ModelId,
            CreatedAt = _source.Time.GetUtcNow(),
        };
}
