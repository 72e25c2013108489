using System.Diagnostics;
using System.Runtime.CompilerServices;
using GptOss.Generation;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using EndReason = GptOss.Generation.EndReason;

namespace GptOss.Chat;

/// <summary>Answers requests. Thread-safe.</summary>
internal sealed class Responder : IDisposable
{
    private readonly ChatSource _source;
    private readonly ILogger _logger;
    private readonly TurnMemory _memory = new();
    private readonly RequestReader _reader;
    private readonly CancellationTokenSource _closing = new();

    public Responder(ChatSource source, ILogger logger)
    {
        _source = source;
        _logger = logger;
        _reader = new RequestReader(source, _memory);
    }

    public void ThrowIfClosed(object client) => ObjectDisposedException.ThrowIf(_closing.IsCancellationRequested, client);

    /// <summary>Ends every answer under way with <see cref="ObjectDisposedException"/>.</summary>
    /// <remarks>The source of the signal is never disposed: answers under way still ask it, and it holds nothing.</remarks>
    public void Dispose() => _closing.Cancel();

    /// <summary>How many tokens the prompt has.</summary>
    /// <inheritdoc cref="RequestReader.Read"/>
    public int CountTokens(IEnumerable<ChatMessage> messages, ChatOptions? options, IChatClient client) =>
        _reader.Read([.. messages], options, Own(options, client)).Generation.Prompt.Count;

    /// <summary>Reads the request, and gives the answer as it is made.</summary>
    public async IAsyncEnumerable<ChatResponseUpdate> RespondAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options, IChatClient client,
        [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _closing.Token);
        IAsyncEnumerator<ChatResponseUpdate> updates =
            UpdatesAsync([.. messages], options, Own(options, client), stop.Token).GetAsyncEnumerator(CancellationToken.None);
        try
        {
            while (await NextAsync(updates, client, cancellation).ConfigureAwait(false))
                yield return updates.Current;
        }
        finally
        {
            await updates.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static GptOssRequestOptions Own(ChatOptions? options, IChatClient client) =>
        options?.RawRepresentationFactory?.Invoke(client) as GptOssRequestOptions ?? GptOssRequestOptions.Default;

    /// <summary>Takes the next update; says why where there is none because of the caller or of the client's end.</summary>
    private async ValueTask<bool> NextAsync(
        IAsyncEnumerator<ChatResponseUpdate> updates, IChatClient client, CancellationToken cancellation)
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
            throw new ObjectDisposedException(client.GetType().FullName, "The client was disposed.");
        }
        catch (Exception error)
        {
            ChatLog.Failed(_logger, error);
            throw;
        }
    }

    private async IAsyncEnumerable<ChatResponseUpdate> UpdatesAsync(
        IReadOnlyList<ChatMessage> messages, ChatOptions? options, GptOssRequestOptions own,
        [EnumeratorCancellation] CancellationToken stop)
    {
        long start = Stopwatch.GetTimestamp();
        // Rendering a long history takes a while: it shall hold up neither the caller nor its cancellation.
        ChatRequest request = await Task.Run(() => _reader.Read(messages, options, own), stop)
            .WaitAsync(stop).ConfigureAwait(false);
        if (request.Generation.Prompt.Count >= _source.ContextLength)
            throw new ContextLengthException(request.Generation.Prompt.Count, _source.ContextLength);
        string id = $"gptoss-{Guid.NewGuid():N}";
        var reply = new Reply(request);
        ChatLog.Started(_logger, id, request.Generation.Prompt.Count, request.Tools.Functions.Count);

        using ITokenStream answer = _source.Tokens.Submit(request.Generation, stop);
        await foreach (GeneratedToken token in answer.ReadAsync(stop).ConfigureAwait(false))
        {
            stop.ThrowIfCancellationRequested();
            List<AIContent> contents = reply.Accept(token);
            if (contents.Count > 0)
                yield return Update(id, contents);
            if (reply.IsOver)
                break;
        }

        List<AIContent> rest = reply.Finish();
        if (reply.Messages is { } said)
            _memory.Add(id, reply.Given, said);
        ChatFinishReason reason = reply.FinishReason(answer.End);
        rest.Add(new UsageContent(reply.Usage.ToDetails(answer.CachedTokens)));
        ChatResponseUpdate last = Update(id, rest);
        last.FinishReason = reason;
        last.AdditionalProperties = reply.Extras(_source.Tokenizer);
        ChatLog.Finished(_logger, id, reason, reply.Usage.Output, reply.Usage.Reasoning, Stopwatch.GetElapsedTime(start));
        if (answer.End == EndReason.MaxTokens && options?.MaxOutputTokens is null)
            ChatLog.Unlimited(_logger, id, _source.MaxOutputTokens);
        if (_logger.IsEnabled(LogLevel.Trace))
            ChatLog.Contents(_logger, id, _source.Tokenizer.Decode(reply.AllTokens));
        yield return last;
    }

    private ChatResponseUpdate Update(string id, List<AIContent> contents) => new()
    {
        Role = ChatRole.Assistant,
        Contents = contents,
        ResponseId = id,
        MessageId = id,
        ModelId = _source.ModelId,
        CreatedAt = _source.Time.GetUtcNow(),
    };
}
