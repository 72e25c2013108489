using System.Runtime.CompilerServices;
using GptOss.Chat;
using GptOss.Generation;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace GptOss;

/// <summary>An <see cref="IChatClient"/> over a gpt-oss model: streaming, tools, reasoning. Safe for concurrent use.</summary>
/// <remarks>
/// Stateless: every request brings its whole conversation. Beyond what <see cref="IChatClient"/> asks for, it may be disposed
/// while requests run; with a model of its own they end with <see cref="ObjectDisposedException"/>.
/// </remarks>
public sealed class GptOssChatClient : IChatClient
{
    private readonly ChatSource _source;
    private readonly GptOssModel? _model;
    private readonly bool _ownsModel;
    private readonly ILogger _logger;
    private readonly RequestReader _requests;
    private readonly ChatClientMetadata _metadata;

    internal GptOssChatClient(ChatSource source, GptOssModel? model, bool ownsModel, ILoggerFactory? loggerFactory)
    {
        _source = source;
        _model = model;
        _ownsModel = ownsModel;
        _logger = (ILogger?)loggerFactory?.CreateLogger<GptOssChatClient>() ?? NullLogger.Instance;
        _requests = new RequestReader(source);
        _metadata = new ChatClientMetadata("gpt-oss", source.Place, source.ModelId);
    }

    /// <summary>Loads a model and makes a client that owns it: disposing the client closes the model.</summary>
    /// <inheritdoc cref="GptOssModel.LoadAsync"/>
    /// <param name="folder">The folder that holds config.json and the weights.</param>
    /// <param name="options">Threads, context and memory; null for the defaults.</param>
    /// <param name="progress">Told how far loading has come.</param>
    /// <param name="loggerFactory">Logs what is done, without the contents of messages; null logs nothing.</param>
    /// <param name="cancellationToken">Ends the loading.</param>
    public static async Task<GptOssChatClient> LoadAsync(
        string folder, ModelOptions? options = null, IProgress<LoadProgress>? progress = null,
        ILoggerFactory? loggerFactory = null, CancellationToken cancellationToken = default)
    {
        GptOssModel model = await GptOssModel.LoadAsync(folder, options, progress, cancellationToken).ConfigureAwait(false);
        try
        {
            return new GptOssChatClient(model.ChatSource, model, ownsModel: true, loggerFactory);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <inheritdoc />
    /// <exception cref="ContextLengthException">The conversation leaves no room for an answer; nothing is ever cut off silently.</exception>
    /// <exception cref="InvalidOperationException">The options name another model or a tool that is not offered.</exception>
    /// <exception cref="NotSupportedException">A message holds a picture, a sound or a file.</exception>
    public Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    /// <inheritdoc />
    /// <inheritdoc cref="GetResponseAsync" path="/exception"/>
    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        return Stream([.. messages], options, cancellationToken);
    }

    /// <summary>Tokens of the prompt that a request would make, tools and instructions included.</summary>
    /// <inheritdoc cref="GetResponseAsync" path="/exception"/>
    public int CountTokens(IEnumerable<ChatMessage> messages, ChatOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(messages);
        return _requests.Read([.. messages], options, this).Generation.Prompt.Count;
    }

    /// <inheritdoc />
    /// <remarks>Answers <see cref="ChatClientMetadata"/>, <see cref="GptOssModel"/>, <see cref="GptOssTokenizer"/> and the client itself.</remarks>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(ChatClientMetadata) ? _metadata
            : serviceType == typeof(GptOssModel) ? _model
            : serviceType == typeof(GptOssTokenizer) ? _source.Tokenizer
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <summary>Closes the model if the client owns it.</summary>
    public void Dispose()
    {
        if (_ownsModel) _model!.Dispose();
    }

    private async IAsyncEnumerable<ChatResponseUpdate> Stream(
        IReadOnlyList<ChatMessage> messages, ChatOptions? options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ChatRequest request = _requests.Read(messages, options, this);
        using ITokenStream tokens = _source.Tokens.Submit(request.Generation, cancellationToken);
        var reply = new Reply(request, _source, _requests.Spoken);
        using var observed = new ObservedRequest(_logger, _source.ModelId, request.Generation.Prompt.Count);

        await foreach (GeneratedToken token in tokens.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            observed.Count(token.Id);
            foreach (ChatResponseUpdate update in reply.Accept(token)) yield return update;
            if (reply.IsStopped) break;
        }
        foreach (ChatResponseUpdate update in reply.Finish(tokens.End)) yield return update;
        observed.Complete(reply.FinishReason);
    }
}
