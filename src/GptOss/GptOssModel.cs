using System.Runtime.CompilerServices;
using GptOss.Chat;
using GptOss.Checkpoint;
using GptOss.Generation;
using GptOss.Harmony;
using GptOss.Kernels;
using GptOss.Model;
using Microsoft.Extensions.Logging;

namespace GptOss;

/// <summary>A loaded gpt-oss model. Immutable and safe for concurrent use; all requests share its weights.</summary>
/// <remarks>The weights are used where the files are mapped: replace a model folder by renaming, never write into it while it is in use.</remarks>
public sealed class GptOssModel : IDisposable, IAsyncDisposable, ITokenSource
{
    private static readonly string[] UsualStops = ["<|return|>", "<|call|>", "<|endoftext|>"];

    private readonly CheckpointFolder _checkpoint;
    private readonly FastWeights? _fast;
    private readonly Engine _engine;
    private readonly Scheduler _scheduler;
    private readonly (GptOssTokenizer? Tokenizer, string? WhyNot) _tokenizer;
    private readonly Lazy<int[]> _stopTokens;
    private readonly AnswerMemory _memory;
    private readonly int _maxOutputTokens;
    private bool _warned;
    private bool _disposed;

    private GptOssModel(
        CheckpointFolder checkpoint, ModelWeights weights, FastWeights? fast, ModelOptions options,
        (GptOssTokenizer? Tokenizer, string? WhyNot) tokenizer)
    {
        _checkpoint = checkpoint;
        _tokenizer = tokenizer;
        _fast = fast;
        ContextLength = options.ContextLength
            ?? checkpoint.GenerationConfig?.OptionalInt32("default_context_length", 1, weights.Config.MaxPositions) ?? weights.Config.MaxPositions;
        _maxOutputTokens = options.MaxOutputTokens;
        _engine = new Engine(
            fast?.Weights ?? weights, options.Threads ?? Environment.ProcessorCount, ContextLength, options.KeyValueFormat, ExplainFault)
        {
            ModelName = Name,
        };
        _scheduler = new Scheduler(_engine);
        _memory = new AnswerMemory(options.AnswerMemoryBytes);
        _stopTokens = new(ReadStopTokens);
    }

    /// <summary>The folder's name; in a cache of Hugging Face that of the repository, such as <c>openai/gpt-oss-20b</c>.</summary>
    public string Name => HubCache.Repository(Folder) ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(Folder));

    /// <summary>The full path of the folder with the files; of a repository in a cache of Hugging Face that of the snapshot.</summary>
    public string Folder => _checkpoint.Path;

    /// <summary>The most tokens of one sequence, prompt and answer together.</summary>
    public int ContextLength { get; }

    /// <summary>Token ids go from 0 to one less than this.</summary>
    public int VocabularySize => _engine.Weights.Config.VocabSize;

    /// <summary>Text to token ids and back.</summary>
    /// <exception cref="CheckpointException">The folder has no tokenizer for this vocabulary; the model still serves token ids.</exception>
    public GptOssTokenizer Tokenizer =>
        _tokenizer.Tokenizer ?? throw new CheckpointException(Folder, _tokenizer.WhyNot!);

    /// <summary>The tokens that end an answer: those of generation_config.json, else <c>&lt;|return|&gt;</c>, <c>&lt;|call|&gt;</c> and <c>&lt;|endoftext|&gt;</c>.</summary>
    public IReadOnlyList<int> StopTokens => _stopTokens.Value;

    internal Engine Engine => _engine;

    /// <summary>Whether whoever has this logger shall say that the process is slow: true once for a model, and where there is something to say.</summary>
    internal bool FirstToWarn(ILoggerFactory? logger) =>
        logger is not null && Processor.Unused.Count > 0 && !Interlocked.Exchange(ref _warned, true);

    internal ChatSource ChatSource(string? modelId = null) =>
        new(this, Tokenizer, modelId ?? Name, Place: null, ContextLength) { Memory = _memory, MaxOutputTokens = _maxOutputTokens };

    /// <summary>Begins to work on a request, once the files are seen to be what they were.</summary>
    ITokenStream ITokenSource.Submit(GenerationRequest request, CancellationToken cancellation)
    {
        if (Volatile.Read(ref _disposed)) throw _engine.Disposed();
        _checkpoint.ThrowIfChanged();
        return new ForgettableStream(_scheduler.Submit(request, cancellation));
    }

    /// <summary>Where the weights lie that a pass uses: what a measurement of the memory reads.</summary>
    internal unsafe IReadOnlyList<(nint Data, long Bytes)> WeightRegions =>
        [.. _checkpoint.Tensors.Where(tensor => _fast?.Replaces((nint)tensor.Data) != true)
            .Select(tensor => ((nint)tensor.Data, tensor.ByteLength)), .. _fast?.Regions ?? []];

    /// <summary>Opens a folder with OpenAI's safetensors files, in the Hugging Face or in the original layout.</summary>
    /// <param name="folder">The folder that holds config.json and the weights, or a repository's folder in a cache of Hugging Face.</param>
    /// <param name="options">Threads, context and memory; null for the defaults.</param>
    /// <param name="progress">Told how far loading has come.</param>
    /// <param name="cancellationToken">Ends the loading.</param>
    /// <exception cref="CheckpointException">The folder is not a model this engine can run; the message says why.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The options ask for a longer context than the model has.</exception>
    public static Task<GptOssModel> LoadAsync(
        string folder, ModelOptions? options = null, IProgress<LoadProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return Task.Run(() => Load(folder, options ?? ModelOptions.Default, progress, cancellationToken), cancellationToken);
    }

    /// <summary>Continues a prompt, token by token.</summary>
    /// <param name="prompt">Token ids, at least one.</param>
    /// <param name="sampling">How tokens are chosen; null for OpenAI's recommendation.</param>
    /// <param name="cancellationToken">Ends the generation, also while the prompt is read.</param>
    /// <returns>
    /// Token ids as they are made. A stop token is the last one; without it there are as many as
    /// <see cref="ModelOptions.MaxOutputTokens"/>, or the context is full. The model works a little
    /// ahead of the reader, and stops when the enumeration is left.
    /// </returns>
    /// <exception cref="ContextLengthException">The prompt does not fit.</exception>
    /// <exception cref="NumericFaultException">The model's output is not finite.</exception>
    /// <exception cref="CheckpointException">A file of the model was changed since it was opened.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed, before or meanwhile.</exception>
    public IAsyncEnumerable<int> Generate(
        IEnumerable<int> prompt, SamplingOptions? sampling = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        return Steps(prompt, sampling ?? SamplingOptions.Default, cancellationToken);
    }

    /// <summary>A chat client over this model. Any number may share it; disposing one leaves the model open.</summary>
    /// <param name="loggerFactory">Logs what is done; what is said only at the level Trace. Null logs nothing.</param>
    /// <param name="modelId">The model's name in responses; null for <see cref="Name"/>.</param>
    /// <exception cref="CheckpointException">The folder has no tokenizer.</exception>
    public GptOssChatClient AsChatClient(ILoggerFactory? loggerFactory = null, string? modelId = null) =>
        new(ChatSource(modelId), this, ownsModel: false, loggerFactory);

    /// <summary>Closes the model. Generations under way end with <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, true)) return;
        _engine.Close();
        _scheduler.Dispose();
        _engine.Dispose();
        _fast?.Dispose();
        _checkpoint.Dispose();
    }

    /// <inheritdoc cref="Dispose"/>
    public ValueTask DisposeAsync() => new(Task.Run(Dispose));

    private async IAsyncEnumerable<int> Steps(
        IEnumerable<int> prompt, SamplingOptions sampling, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using ITokenStream sequence = ((ITokenSource)this).Submit(
            new GenerationRequest { Prompt = [.. prompt], Sampling = sampling, StopTokens = StopTokens, MaxTokens = _maxOutputTokens }, cancellation);
        await foreach (GeneratedToken token in sequence.ReadAsync(cancellation).ConfigureAwait(false))
            yield return token.Id;
    }

    private static GptOssModel Load(
        string folder, ModelOptions options, IProgress<LoadProgress>? progress, CancellationToken cancellation)
    {
        progress?.Report(new LoadProgress("Opening the files", 0));
        CheckpointFolder checkpoint = CheckpointFolder.Open(Path.GetFullPath(folder));
        FastWeights? fast = null;
        GptOssModel? model = null;
        try
        {
            cancellation.ThrowIfCancellationRequested();
            progress?.Report(new LoadProgress("Binding the weights", options.Precision == Precision.Fast ? 0.05 : 0.5));
            ModelConfig config = ModelConfig.From(checkpoint.Config);
            if (options.ContextLength > config.MaxPositions)
                throw new ArgumentOutOfRangeException(nameof(options), options.ContextLength,
                    $"ModelOptions.ContextLength must be at most {config.MaxPositions}, the model's max_position_embeddings.");
            ModelWeights weights = WeightBinder.Bind(checkpoint, config);
            _ = ReadEnds(checkpoint.GenerationConfig, config.VocabSize);
            GptOssTokenizer? tokenizer = GptOssTokenizer.ForFolder(checkpoint.Path, config.VocabSize, out string? whyNot, cancellation);
            if (tokenizer is not null) SpecialTokens.RequireMarkers(tokenizer, Path.Join(checkpoint.Path, "tokenizer.json"));
            if (options.Precision == Precision.Fast)
                fast = new FastWeights(weights, checkpoint, options.Threads ?? Environment.ProcessorCount, Fraction(progress), cancellation);
            model = new GptOssModel(checkpoint, weights, fast, options, (tokenizer, whyNot));
            progress?.Report(new LoadProgress("Ready", 1));
            return model;
        }
        catch
        {
            // A listener to the progress may throw, too, even when all is ready.
            model?.Dispose();
            fast?.Dispose();
            checkpoint.Dispose();
            throw;
        }
    }

    private static DerivingProgress? Fraction(IProgress<LoadProgress>? progress) =>
        progress is null ? null : new DerivingProgress(progress);

    /// <summary>Reports at once, on the thread that derives: what comes later must not overtake.</summary>
    private sealed class DerivingProgress(IProgress<LoadProgress> progress) : IProgress<double>
    {
        public void Report(double value) => progress.Report(new LoadProgress("Deriving int8 weights", 0.05 + 0.95 * value));
    }

    private int[] ReadStopTokens()
    {
        if (ReadEnds(_checkpoint.GenerationConfig, VocabularySize) is { } listed) return listed;
        if (_tokenizer.Tokenizer is { } tokenizer)
            return [.. UsualStops.Where(tokenizer.SpecialTokens.ContainsKey)
                .Select(name => tokenizer.SpecialTokens[name])];
        return ReadEnds(_checkpoint.Config, VocabularySize) ?? [];
    }

    private static int[]? ReadEnds(ConfigJson? json, int vocabulary)
    {
        const string field = "eos_token_id";
        int[]? ends = json?.OptionalInt32s(field, 0, vocabulary - 1);
        return ends is [] ? throw json!.Fault(field, "should name at least one token but is empty: no answer would ever end.") : ends;
    }

    private NumericFaultException ExplainFault(CancellationToken stop) =>
        WeightScan.FirstNotFinite(_checkpoint, stop) is var (tensor, element)
            ? new NumericFaultException(
                $"{Folder}: the logits are not finite: tensor '{Printable.Name(tensor)}' holds a value that is not finite at element {element}. "
                + "Download the file again.", tensor)
            : new NumericFaultException(
                $"{Folder}: the logits are not finite or all equal, though every weight is finite: an activation went beyond float32, "
                + "or the weights are zeros. A weight is damaged, or the fine-tune failed: compare the files with their origin.", null);
}
