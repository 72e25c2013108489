using System.Diagnostics;
using System.Runtime.CompilerServices;
using GptOss.Generation;
using GptOss.Harmony;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace GptOss.Chat;

/// <summary>Answers requests. Thread-safe.</summary>
internal sealed class Responder : IDisposable
{
    private readonly ChatSource _source;
    private readonly ILogger _logger;
    private readonly RequestReader _reader;
    private readonly HarmonyRenderer _renderer;
    private readonly CancellationTokenSource _closing = new();

    public Responder(ChatSource source, ILogger logger)
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
    /// The source of the signal is never disposed: answers under way still ask it, and it holds nothing.
    /// </remarks>
    public void Dispose() => _closing.Cancel();

    /// <summary>How many tokens the prompt has.</summary>
    /// <inheritdoc cref="RequestReader.Read"/>
    public int CountTokens(IEnumerable<ChatMessage> messages, ChatOptions? options, IChatClient client) =>
        _reader.Read([.. messages], options, Own(options, client), isLimited: false).Generation.Prompt.Count;

    /// <summary>Reads the request, and gives the answer as it is made.</summary>
    public async IAsyncEnumerable<ChatResponseUpdate> RespondAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options,
        IChatClient client,
        [EnumeratorCancellation] CancellationToken cancellation = default
    )
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _closing.Token);
        IAsyncEnumerator<ChatResponseUpdate> updates = UpdatesAsync(
                [.. messages],
                options,
                Own(options, client),
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

    // A program may hold clients of several models.
    private ObjectDisposedException Disposed() =>
        new(null, $"The client of the model '{Printable.Name(_source.ModelId)}' was disposed.");

    /// <summary>
    /// Takes the next update; says why where there is none because of the caller or of the client's end.
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
        [EnumeratorCancellation] CancellationToken stop
    )
    {
        long start = Stopwatch.GetTimestamp();
        // Rendering a long history takes a while: it shall hold up neither the caller nor its cancellation.
        ChatRequest request = await Task.Run(() => _reader.Read(messages, options, own, cancellation: stop), stop)
            .WaitAsync(stop)
            .ConfigureAwait(false);
        if (request.Generation.Prompt.Count >= _source.ContextLength)
            throw new ContextLengthException(request.Generation.Prompt.Count, _source.ContextLength);
        string id = $"gptoss-{Guid.NewGuid():N}";
        var reply = new Reply(request);
        LogBeginning(id, request, options);

        int cached = 0;
        for (GenerationRequest? generation = request.Generation; generation is not null; )
        {
            using ITokenStream answer = _source.Tokens.Submit(generation, stop);
            await foreach (GeneratedToken token in answer.ReadAsync(stop).ConfigureAwait(false))
            {
                stop.ThrowIfCancellationRequested();
                List<AIContent> contents = reply.Accept(token);
                if (contents.Count > 0)
                    yield return Update(id, contents);
                if (reply.IsOver)
                    break;
            }
            cached += ReferenceEquals(generation, request.Generation) ? answer.CachedTokens : 0;
            List<AIContent> held = reply.Finish(answer.End);
            if (held.Count > 0)
                yield return Update(id, held);
            generation = Continue(id, reply);
        }
        yield return Last(id, reply, request, cached, start);
    }

    /// <summary>Lets the model try again where its call cannot be carried out; null if the answer ends.</summary>
    private GenerationRequest? Continue(string id, Reply reply)
    {
        if (reply.Broken is not { } broken)
            return null;
        GenerationRequest? next = reply.TryContinue(_renderer, _source.ContextLength);
        string function = Printable.Name(broken.Content.Name);
        if (next is null)
            ChatLog.GivenUp(_logger, id, function);
        else
            ChatLog.Repaired(_logger, id, function, reply.Repairs);
        return next;
    }

    private void LogBeginning(string id, ChatRequest request, ChatOptions? options)
    {
        ChatLog.Started(_logger, id, request.Generation.Prompt.Count, request.Tools.Functions.Count);
        if (options?.ModelId is { Length: > 0 } wanted && Bare(wanted) != Bare(_source.ModelId))
            ChatLog.OtherModel(_logger, Printable.Name(wanted), Printable.Name(_source.ModelId));
        if (request.PassedOver.Count > 0 && _logger.IsEnabled(LogLevel.Debug))
            ChatLog.PassedOver(_logger, id, Printable.Line(string.Join(", ", request.PassedOver.Distinct())));

        // Without the organisation, "openai/", which some frameworks put before a model's name and others leave out.
        static string Bare(string modelId) => modelId[(modelId.LastIndexOf('/') + 1)..].ToLowerInvariant();
    }

    private ChatResponseUpdate Last(string id, Reply reply, ChatRequest request, int cached, long start)
    {
        List<AIContent> rest = [.. reply.GiveUp(), new UsageContent(reply.Usage.ToDetails(cached))];
        ChatResponseUpdate last = Update(id, rest);
        last.FinishReason = reply.FinishReason;
        last.AdditionalProperties = reply.Properties();
        if (request.RecallsAnswers)
            _source.Memory.Add(id, reply.Given, reply.Spoken);
        ChatLog.Finished(
            _logger,
            id,
            reply.FinishReason,
            reply.Usage.Output,
            reply.Usage.Reasoning,
            Stopwatch.GetElapsedTime(start)
        );
        if (
            reply.FinishReason == ChatFinishReason.Length
            && !request.IsLimited
            && reply.Usage.Output >= _source.MaxOutputTokens
        )
            ChatLog.Unlimited(_logger, id, _source.MaxOutputTokens);
        if (_logger.IsEnabled(LogLevel.Trace))
            ChatLog.Contents(_logger, id, _source.Tokenizer.Decode(reply.AllTokens));
        return last;
    }

    private ChatResponseUpdate Update(string id, List<AIContent> contents) =>
        new()
        {
            Role = ChatRole.Assistant,
            Contents = contents,
            ResponseId = id,
            MessageId = id,
            ModelId = _source.ModelId,
            CreatedAt = _source.Time.GetUtcNow(),
        };
}
