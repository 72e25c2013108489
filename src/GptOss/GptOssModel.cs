using GptOss.Chat;
using GptOss.Generation;
using GptOss.Harmony;
using GptOss.Kernels;
using GptOss.Model;
using Microsoft.Extensions.Logging;

namespace GptOss;

/// <summary>A loaded gpt-oss model. Immutable and safe for concurrent use; all requests share its weights.</summary>
/// <remarks>
/// The weights are used where the files are mapped: replace a model folder by renaming, never write into it while it is
/// in use.
/// </remarks>
public sealed class GptOssModel : IDisposable, IAsyncDisposable
{
    private readonly ModelFolder _folder;
    private readonly GptOssTokenizer? _tokenizer;
    private readonly string? _whyNoTokenizer;
    private readonly Lazy<int[]> _stopTokens;
    private readonly AnswerMemory _memory;
    private readonly int _maxOutputTokens;
    private bool _warned;

    private GptOssModel(ModelFolder folder, ModelOptions options, GptOssTokenizer? tokenizer, string? whyNoTokenizer)
    {
        _folder = folder;
        _tokenizer = tokenizer;
        _whyNoTokenizer = whyNoTokenizer;
        _maxOutputTokens = options.MaxOutputTokens;
        _memory = new AnswerMemory(options.AnswerMemoryBytes);
        Source = new ModelTokenSource(folder, options);
        _stopTokens = new(() =>
            folder.StopTokens(usual: () => tokenizer?.Inner is { } t ? SpecialTokens.EndsOfAnswer(t) : null)
        );
    }

    /// <summary>
    /// The folder's name; in a cache of Hugging Face that of the repository, such as <c>openai/gpt-oss-20b</c>.
    /// </summary>
    public string Name => _folder.Name;

    /// <summary>
    /// The full path of the folder with the files; of a repository in a cache of Hugging Face that of the snapshot.
    /// </summary>
    public string Folder => _folder.Path;

    /// <summary>The most tokens of one sequence, prompt and answer together.</summary>
    public int ContextLength => Engine.ContextLength;

    /// <summary>Token ids go from 0 to one less than this.</summary>
    public int VocabularySize => _folder.Config.VocabSize;

    /// <summary>Text to token ids and back.</summary>
    /// <exception cref="CheckpointException">
    /// The folder has no tokenizer for this vocabulary; the model still serves token ids.
    /// </exception>
    public GptOssTokenizer Tokenizer => _tokenizer ?? throw new CheckpointException(Folder, _whyNoTokenizer!);

    /// <summary>
    /// The tokens that end an answer: those of generation_config.json, else <c>&lt;|return|&gt;</c>,
    /// <c>&lt;|call|&gt;</c> and <c>&lt;|endoftext|&gt;</c>.
    /// </summary>
    public IReadOnlyList<int> StopTokens => _stopTokens.Value;

    /// <summary>Answers requests of token ids: all that a chat client knows of a model.</summary>
    internal ModelTokenSource Source { get; }

    internal Engine Engine => Source.Engine;

    /// <summary>Where the weights lie that a pass uses: what a measurement of the memory reads.</summary>
    internal IReadOnlyList<(nint Data, long Bytes)> WeightRegions => _folder.WeightRegions();

    /// <summary>What a client over this model answers from.</summary>
    internal ChatSource ChatSource(string? modelId = null) =>
        new(Source, Tokenizer.Inner, modelId ?? Name, Place: null, ContextLength)
        {
            Memory = _memory,
            MaxOutputTokens = _maxOutputTokens,
        };

    /// <summary>
    /// Whether whoever has this logger shall say that the process is slow: true once for a model, and where there is
    /// something to say.
    /// </summary>
    internal bool FirstToWarn(ILoggerFactory? logger) =>
        logger is not null && Processor.Unused.Count > 0 && !Interlocked.Exchange(ref _warned, true);

    /// <summary>
    /// Opens a folder with OpenAI's safetensors files, in the Hugging Face or in the original layout.
    /// </summary>
    /// <param name="folder">The folder that holds config.json and the weights, or a repository's folder in a cache of
    /// Hugging Face.</param>
    /// <param name="options">Threads, context and memory; null for the defaults.</param>
    /// <param name="progress">Told how far loading has come.</param>
    /// <param name="cancellationToken">Ends the loading early.</param>
    /// <exception cref="CheckpointException">The folder is not a model this engine can run; the message says
    /// why.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The options ask for a longer context than the model
    /// has.</exception>
    public static Task<GptOssModel> LoadAsync(
        string folder,
        ModelOptions? options = null,
        IProgress<LoadProgress>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return Task.Run(
            () => Load(folder, options ?? ModelOptions.Default, progress, cancellationToken),
            cancellationToken
        );
    }

    /// <summary>Continues a prompt, token by token.</summary>
    /// <param name="prompt">Token ids, at least one.</param>
    /// <param name="sampling">How tokens are chosen; null for OpenAI's recommendation.</param>
    /// <param name="maxTokens">The most tokens that are made; null for <see
    /// cref="ModelOptions.MaxOutputTokens"/>.</param>
    /// <param name="stopTokens">
    /// Tokens that end the generation, each as its last token; null for <see cref="StopTokens"/>, empty for none.
    /// </param>
    /// <param name="cancellationToken">Ends the generation, also while the prompt is read.</param>
    /// <returns>The tokens, and when all have come the reason of their end.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxTokens"/> is below 1.</exception>
    public TokenGeneration Generate(
        IEnumerable<int> prompt,
        SamplingOptions? sampling = null,
        int? maxTokens = null,
        IEnumerable<int>? stopTokens = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(prompt);
        if (maxTokens is { } limit)
            ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1, nameof(maxTokens));
        var request = new GenerationRequest
        {
            Prompt = [.. prompt],
            Sampling = sampling ?? SamplingOptions.Default,
            StopTokens = stopTokens is null ? StopTokens : [.. stopTokens],
            MaxTokens = maxTokens ?? _maxOutputTokens,
        };
        return new TokenGeneration(Source, request, cancellationToken);
    }

    /// <summary>A chat client over this model. Any number may share it; disposing one leaves the model open.</summary>
    /// <param name="loggerFactory">Logs what is done; what is said only at the level Trace. Null logs nothing.</param>
    /// <param name="modelId">The model's name in responses; null for <see cref="Name"/>.</param>
    /// <exception cref="CheckpointException">The folder has no tokenizer.</exception>
    public GptOssChatClient AsChatClient(ILoggerFactory? loggerFactory = null, string? modelId = null) =>
        new(ChatSource(modelId), this, ownsModel: false, loggerFactory);

    /// <summary>Closes the model. Generations under way end with <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose() => Source.Dispose();

    /// <inheritdoc cref="Dispose"/>
    public ValueTask DisposeAsync() => new(Task.Run(Dispose));

    private static GptOssModel Load(
        string path,
        ModelOptions options,
        IProgress<LoadProgress>? progress,
        CancellationToken cancellation
    )
    {
        bool isFast = options.Precision == Precision.Fast;
        progress?.Report(new LoadProgress("Opening the files", 0));
        ModelFolder folder = ModelFolder.Open(path);
        GptOssModel? model = null;
        try
        {
            cancellation.ThrowIfCancellationRequested();
            progress?.Report(new LoadProgress("Reading the tokenizer", isFast ? 0.05 : 0.5));
            if (options.ContextLength > folder.Config.MaxPositions)
                throw new ArgumentOutOfRangeException(
                    nameof(options),
                    options.ContextLength,
                    $"ModelOptions.ContextLength must be at most {folder.Config.MaxPositions}, the model's "
                        + "max_position_embeddings."
                );
            GptOssTokenizer? tokenizer = GptOssTokenizer.ForFolder(
                folder.Path,
                folder.Config.VocabSize,
                out string? whyNot,
                cancellation
            );
            if (tokenizer is not null)
                SpecialTokens.RequireMarkers(tokenizer.Inner, Path.Join(folder.Path, "tokenizer.json"));
            if (isFast)
            {
                IProgress<double>? part = progress is null ? null : new PartOfLoading(progress);
                folder.PackFast(options.Threads ?? Environment.ProcessorCount, part, cancellation);
            }
            model = new GptOssModel(folder, options, tokenizer, whyNot);
            progress?.Report(new LoadProgress("Ready", 1));
            return model;
        }
        catch
        {
            // A listener to the progress may throw, too, even when all is ready.
            if (model is null)
                folder.Dispose();
            else
                model.Dispose();
            throw;
        }
    }

    /// <summary>Reports at once, on the thread that derives: what comes later must not overtake.</summary>
    private sealed class PartOfLoading(IProgress<LoadProgress> progress) : IProgress<double>
    {
        public void Report(double value) =>
            progress.Report(new LoadProgress("Packing int8 weights", 0.05 + 0.95 * value));
    }
}
