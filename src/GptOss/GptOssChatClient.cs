using GptOss.Chat;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace GptOss;

/// <summary>
/// A conversation with gpt-oss: messages in, an answer, its reasoning and its calls of functions out.
/// </summary>
/// <remarks>
/// Safe for concurrent use. Every request brings its whole conversation, live or read back from JSON with the same
/// prompt; a memory of past answers is asked only where <see cref="GptOssRequestOptions.RecallAnswers"/> is set.
/// Reasoning comes as <see cref="TextReasoningContent"/>; give it back together with a call's result, as
/// <c>UseFunctionInvocation()</c> does.
/// <para>
/// Requests fail with <see cref="NotSupportedException"/> for a picture, sound or file that a user wants read, with
/// <see cref="InvalidOperationException"/> for a required function that is not offered, with
/// <see cref="ArgumentException"/> for two functions of one name or a logit bias that forbids every token, with
/// <see cref="ArgumentOutOfRangeException"/> for options outside their range, with
/// <see cref="ContextLengthException"/> for a conversation that is too long, with <see cref="EngineBusyException"/>
/// where the queue is full, and with
/// <see cref="ObjectDisposedException"/> once client or model are disposed.
/// </para>
/// </remarks>
public sealed class GptOssChatClient : IChatClient, IAsyncDisposable
{
    private readonly RequestRunner _runner;
    private readonly ChatClientMetadata _metadata;
    private readonly GptOssTokenizer _tokenizer;
    private readonly GptOssModel? _model;
    private readonly bool _ownsModel;

    internal GptOssChatClient(ChatSource source, GptOssModel? model, bool ownsModel, ILoggerFactory? loggerFactory)
    {
        ILogger logger = CarefulLogger.From(loggerFactory, typeof(GptOssChatClient).FullName!);
        _runner = new RequestRunner(source, logger);
        source.Slow?.Log(logger);
        source.Budget?.Log(logger);
        _tokenizer = model?.Tokenizer ?? GptOssTokenizer.Over(source.Tokenizer);
        _model = model;
        _ownsModel = ownsModel;
        _metadata = new ChatClientMetadata("gpt-oss", source.Server, source.ModelId);
    }

    /// <summary>Opens a model folder and a client over it, which owns the model.</summary>
    /// <inheritdoc cref="GptOssModel.LoadAsync"/>
    /// <param name="folder">The folder that holds config.json and the weights, or a repository's folder in a cache of
    /// Hugging Face.</param>
    /// <param name="options">Threads, context and memory; null for the defaults.</param>
    /// <param name="progress">Told how far loading has come.</param>
    /// <param name="loggerFactory">Logs what is done; what is said only at the level Trace. Null logs nothing.</param>
    /// <param name="modelId">The model's name in responses; null for <see cref="GptOssModel.Name"/>.</param>
    /// <param name="cancellationToken">Ends the loading early.</param>
    public static async Task<GptOssChatClient> LoadAsync(
        string folder,
        ModelOptions? options = null,
        IProgress<LoadProgress>? progress = null,
        ILoggerFactory? loggerFactory = null,
        string? modelId = null,
        CancellationToken cancellationToken = default
    )
    {
        GptOssModel model = await GptOssModel
            .LoadAsync(folder, options, progress, cancellationToken)
            .ConfigureAwait(false);
        try
        {
            return new GptOssChatClient(model.ChatSource(modelId), model, ownsModel: true, loggerFactory);
        }
        catch
        {
            await model.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options = null,
        CancellationToken cancellationToken = default
    ) => Run(messages, options, isStream: false, cancellationToken).ToChatResponseAsync(cancellationToken);

    /// <inheritdoc/>
    /// <remarks>
    /// The first update has no content and says that the request is accepted: it was read and fits into the context,
    /// and it runs or has a place in the queue. What is refused throws before it.
    /// </remarks>
    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options = null,
        CancellationToken cancellationToken = default
    ) => Run(messages, options, isStream: true, cancellationToken);

    /// <summary>
    /// How many tokens the prompt of such a request has, its instructions, tools and markers included.
    /// </summary>
    /// <remarks>Reads the request as running it does, and fails as that would, but for the length.</remarks>
    public int CountTokens(IEnumerable<ChatMessage> messages, ChatOptions? options = null) =>
        EncodePrompt(messages, options).Count;

    /// <summary>
    /// The token ids of the prompt of such a request, up to the beginning of the answer, which is not run. They may be
    /// more than the context holds.
    /// </summary>
    public IReadOnlyList<int> EncodePrompt(IEnumerable<ChatMessage> messages, ChatOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(messages);
        return _runner.EncodePrompt(messages, options, this);
    }

    /// <summary>
    /// The same as <see cref="EncodePrompt"/>, for hosts that are asked by many: read on another thread when it is the
    /// turn of the <see cref="GptOssRequestOptions.CacheScope"/>, as a request that is run is.
    /// </summary>
    /// <exception cref="OperationCanceledException">The reading was cancelled.</exception>
    public async Task<IReadOnlyList<int>> EncodePromptAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(messages);
        (IReadOnlyList<int> prompt, _) = await _runner
            .PromptAsync(messages, options, this, isLimited: false, cancellationToken)
            .ConfigureAwait(false);
        return prompt;
    }

    /// <summary>
    /// What a prompt tells the model of a function: its description as comments, and its TypeScript type under the name
    /// by which the model calls it.
    /// </summary>
    /// <remarks>
    /// For functions whose <c>AdditionalProperties["harmony.hidden"]</c> is true: the model may call them, and tool
    /// choice may require them, but no prompt lists them. The host gives the model this text when it is to know of one,
    /// such as in a result, and the beginning of the prompt stays the same. What is no letter or digit in a name is
    /// <c>_</c> to the model, so that a hidden <c>a.b</c> beside a listed <c>a_b</c> could not be told apart: give them
    /// names that differ otherwise.
    /// </remarks>
    /// <exception cref="ArgumentException">The function has no name.</exception>
    public static string Describe(AIFunctionDeclaration function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return OfferedTools.Describe(function);
    }

    /// <summary>
    /// Saves the keys and values of the prompt of such a request to a file. <see
    /// cref="GptOssModel.LoadPrefixAsync(string, string?, CancellationToken)"/> restores them, in this process or in
    /// another, so that a conversation that begins with these messages is computed only from there on.
    /// </summary>
    /// <remarks>
    /// What is not known yet is computed, within the <see cref="GptOssRequestOptions.CacheScope"/> of the options. The
    /// prompt holds the date; give it in <see cref="GptOssRequestOptions"/> to begin with the same prompt tomorrow. It
    /// holds the reasoning effort and the tools too. Only a prompt that goes on behind all of this finds what was
    /// saved.
    /// </remarks>
    /// <param name="messages">The messages of the prefix, such as instructions alone.</param>
    /// <param name="options">The options of the later requests, with the same tools.</param>
    /// <param name="path">The file to write; it is the old one or the new one, whenever the process ends.</param>
    /// <param name="cancellationToken">Ends the work; the earlier file stays.</param>
    /// <exception cref="NotSupportedException">The client is not over a model of this process.</exception>
    /// <exception cref="ContextLengthException">The prompt does not fit.</exception>
    /// <exception cref="EngineBusyException">As many requests wait as may wait.</exception>
    /// <exception cref="ObjectDisposedException">The client or the model was disposed.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public async Task SavePrefixAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options,
        string path,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentException.ThrowIfNullOrEmpty(path);
        _runner.ThrowIfClosed();
        if (_model is null)
            throw new NotSupportedException("Only a client over a GptOssModel can save prefixes.");
        (IReadOnlyList<int> prompt, string? scope) = await _runner
            .PromptAsync(messages, options, this, isLimited: true, cancellationToken)
            .ConfigureAwait(false);
        await _model.SavePrefixAsync(prompt, path, scope, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Gives the <see cref="ChatClientMetadata"/>, the <see cref="GptOssModel"/>, the <see cref="GptOssTokenizer"/> or
    /// this client.
    /// </summary>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(ChatClientMetadata) ? _metadata
            : serviceType == typeof(GptOssModel) ? _model
            : serviceType == typeof(GptOssTokenizer) ? _tokenizer
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <summary>
    /// Ends the answers under way with <see cref="ObjectDisposedException"/>, and the model too if <see
    /// cref="LoadAsync"/> made this client.
    /// </summary>
    public void Dispose()
    {
        _runner.Dispose();
        if (_ownsModel)
            _model!.Dispose();
    }

    /// <inheritdoc cref="Dispose"/>
    public ValueTask DisposeAsync()
    {
        _runner.Dispose();
        return _ownsModel ? _model!.DisposeAsync() : ValueTask.CompletedTask;
    }

    private IAsyncEnumerable<ChatResponseUpdate> Run(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options,
        bool isStream,
        CancellationToken cancellation
    )
    {
        ArgumentNullException.ThrowIfNull(messages);
        _runner.ThrowIfClosed();
        return _runner.RunAsync(messages, options, this, isStream, cancellation);
    }
}
