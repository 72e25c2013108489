using GptOss.Checkpoint;
using GptOss.Checkpoint.Gguf;

namespace GptOss.Model;

/// <summary>
/// A folder opened as a gpt-oss model: its files, its configuration and its weights, bound and ready to run.
/// </summary>
/// <remarks>The weights lie in the files' mappings, so they are valid until this object is disposed.</remarks>
internal sealed class ModelFolder : IDisposable
{
    private readonly ICheckpoint _checkpoint;
    private readonly ModelFacts _facts;
    private FastWeights? _fast;
    private IAdapter? _adapter;
    private bool _isCopied; // whether the files lie in memory of our own

    private ModelFolder(ICheckpoint checkpoint, ModelFacts facts)
    {
        _checkpoint = checkpoint;
        _facts = facts;
        Weights = WeightBinder.Bind(checkpoint, facts.Config);
    }

    public ModelConfig Config => _facts.Config;

    /// <summary>The weights that a forward pass uses; with <see cref="Precision.Fast"/> some are int8 copies.</summary>
    public ModelWeights Weights { get; private set; }

    /// <summary>
    /// The full path of the folder, or of the GGUF file. Where a repository in a cache of Hugging Face was opened, the
    /// path of its snapshot.
    /// </summary>
    public string Path => _checkpoint.Path;

    /// <summary>
    /// The folder's name, or that of a GGUF file without its ending; of a file that is named by its digest the name
    /// that it holds. In a cache of Hugging Face the repository's name, such as <c>openai/gpt-oss-20b</c>.
    /// </summary>
    public string Name =>
        HubCache.Repository(Path)
        ?? (
            _checkpoint is GgufCheckpoint gguf
                ? gguf.Name
                : System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(Path))
        );

    /// <summary>
    /// The context length that the files ask for, such as in generation_config.json, else the longest that the model
    /// allows.
    /// </summary>
    public int DefaultContextLength => _facts.DefaultContextLength ?? Config.MaxPositions;

    /// <summary>What the loading decided without certainty, as sentences for a person.</summary>
    public IReadOnlyList<string> Notes => _adapter?.Notes ?? [];

    /// <summary>What the weights that a forward pass uses take of the memory.</summary>
    // Bound: addresses are compared and never read.
    public unsafe WeightBytes WeightBytes =>
        new(
            _isCopied
                ? 0
                : _checkpoint
                    .Tensors.Where(tensor => _fast?.Replaces((nint)tensor.Data) != true)
                    .Sum(tensor => tensor.ByteLength),
            (_isCopied ? FileBytes : 0)
                + (_fast?.Regions.Sum(region => region.Bytes) ?? 0)
                + (_adapter?.DeltaBytes ?? 0)
        );

    private long FileBytes => _checkpoint.Files.Sum(file => file.Bytes);

    /// <summary>The files and their tensors; valid until this object is disposed.</summary>
    public ICheckpoint Checkpoint => _checkpoint;

    /// <summary>
    /// Opens the files, checks every header, reads the configuration, binds each weight, and makes the int8 copies of
    /// <see cref="Precision.Fast"/> where they are asked for.
    /// </summary>
    /// <param name="path">The folder, or a repository's folder in a cache of Hugging Face.</param>
    /// <param name="options">Precision, threads, and a context that the model must have.</param>
    /// <param name="progress">Told how far the opening has come; null for nobody.</param>
    /// <param name="cancellation">Ends the opening early.</param>
    /// <param name="adapter">Opens the adapter for a base of these sizes; null for none.</param>
    /// <exception cref="CheckpointException">The folder is not a model this engine can run.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The options ask for a longer context than the model
    /// has.</exception>
    /// <exception cref="InsufficientMemoryException">The files are to be copied and do not fit into the
    /// memory.</exception>
    public static ModelFolder Open(
        string path,
        ModelOptions options,
        IProgress<LoadProgress>? progress,
        CancellationToken cancellation,
        Func<ModelConfig, IAdapter>? adapter = null
    )
    {
        progress?.Report(new LoadProgress("Opening the files", 0));
        ICheckpoint checkpoint = Checkpoints.Open(System.IO.Path.GetFullPath(path), options.CopyToMemory);
        ModelFolder? folder = null;
        try
        {
            cancellation.ThrowIfCancellationRequested();
            bool isFast = options.Precision == Precision.Fast;
            folder = new ModelFolder(checkpoint, ModelFacts.Of(checkpoint));
            if (options.ContextLength > folder.Config.MaxPositions)
                throw new ArgumentOutOfRangeException(
                    nameof(options),
                    options.ContextLength,
                    $"ModelOptions.ContextLength must be at most {folder.Config.MaxPositions}, the model's "
                        + "max_position_embeddings."
                );
            folder._adapter = adapter?.Invoke(folder.Config);
            if (options.CopyToMemory)
            {
                folder.Forecast(options).RequireFree(folder.Path, FreeMemory.Bytes());
                folder.CopyToMemory(
                    new PartOfLoading(progress, "Copying the weights", 0.05, isFast ? 0.5 : 0.95),
                    cancellation
                );
            }
            folder.Weights = folder._adapter?.Adapt(folder.Weights) ?? folder.Weights;
            if (isFast)
                folder.PackFast(
                    options.Threads ?? Environment.ProcessorCount,
                    new PartOfLoading(progress, "Packing int8 weights", options.CopyToMemory ? 0.5 : 0.05, 0.95),
                    cancellation
                );
            return folder;
        }
        catch
        {
            ((IDisposable?)folder ?? checkpoint).Dispose();
            throw;
        }
    }

    /// <summary>
    /// The tokens that end an answer: those of generation_config.json, else the given ones, else those of config.json.
    /// </summary>
    /// <param name="usual">Gives the tokens that end an answer in the chat format, or null where no tokenizer knows
    /// them. Called only where generation_config.json names none.</param>
    public int[] StopTokens(Func<int[]?> usual) => _facts.GenerationEnds ?? usual() ?? _facts.ConfigEnds ?? [];

    /// <summary>Tells this model from others whose keys and values differ; reads a little of every tensor.</summary>
    public ulong Fingerprint() => ModelFingerprint.Of(Weights);

    /// <summary>Throws if a file is no longer what it was when the folder was opened.</summary>
    /// <exception cref="CheckpointException">A file was changed; the message names it.</exception>
    public void ThrowIfChanged()
    {
        _checkpoint.ThrowIfChanged();
        _adapter?.ThrowIfChanged();
    }

    /// <summary>
    /// Searches all weights for the cause of logits that are not finite, and gives an exception that names it.
    /// </summary>
    public NumericFaultException ExplainFault(CancellationToken cancellation) =>
        WeightScan.FirstNotFinite(Weights.Tensors, cancellation) is var (tensor, element)
            ? new NumericFaultException(
                $"{tensor.File}: the logits are not finite: tensor '{Printable.Name(tensor.Name)}' holds a value that "
                    + $"is not finite at element {element}. Download the file again.",
                tensor.Name
            )
            : new NumericFaultException(
                $"{Path}: the logits are not finite or all equal, though every weight is finite: an activation went "
                    + "beyond float32, or the weights are zeros. A weight is damaged, or the fine-tune failed: compare "
                    + "the files with their origin.",
                null
            );

    /// <summary>The memory of all weights that a forward pass uses; a measurement of the bandwidth reads it.</summary>
    // Bound: each region is a tensor's ByteLength within its file, or an allocation of FastWeights.
    public unsafe IReadOnlyList<(nint Data, long Bytes)> WeightRegions() =>
        [
            .. _checkpoint
                .Tensors.Where(tensor => _fast?.Replaces((nint)tensor.Data) != true)
                .Select(tensor => ((nint)tensor.Data, tensor.ByteLength)),
            .. _fast?.Regions ?? [],
        ];

    public void Dispose()
    {
        _fast?.Dispose();
        _adapter?.Dispose();
        _checkpoint.Dispose();
    }

    /// <summary>The budget of keys and values that this machine or container allows now.</summary>
    internal long DefaultBudget(ModelOptions options) =>
        MemoryBudget.Default(
            Config,
            options.KeyValueFormat,
            options.ContextLength ?? DefaultContextLength,
            options.MaxRunning,
            WeightBytes
        );

    /// <summary>
    /// What the model will take with some options: of the keys and values what the options say, or the least that the
    /// budget gives where they leave it to what is free.
    /// </summary>
    /// <remarks>Called before any copy is made, while the weights are those of the files.</remarks>
    internal MemoryForecast Forecast(ModelOptions options)
    {
        (long copies, long replaced) = options.Precision == Precision.Fast ? FastWeights.BytesOf(Weights) : (0, 0);
        WeightBytes weights = options.CopyToMemory
            ? new(0, FileBytes + copies)
            : new(_checkpoint.Tensors.Sum(tensor => tensor.ByteLength) - replaced, copies);
        return MemoryForecast.Of(
            Config,
            weights with
            {
                Copied = weights.Copied + (_adapter?.DeltaBytes ?? 0),
            },
            options,
            options.KvCacheBytes
                ?? MemoryBudget.Of(
                    free: 0,
                    options.ContextLength ?? DefaultContextLength,
                    options.MaxRunning,
                    PageGroup.Of(Config, new KvHeadLayout(options.KeyValueFormat, Config.HeadDim))
                )
        );
    }

    private void CopyToMemory(PartOfLoading progress, CancellationToken cancellation)
    {
        _checkpoint.Fill(new CopyProgress(FileBytes, progress, cancellation));
        _isCopied = true;
        Weights = WeightBinder.Bind(_checkpoint, Config); // vectors are widened where they are bound
    }

    private void PackFast(int threads, PartOfLoading progress, CancellationToken cancellation)
    {
        _fast = new FastWeights(Weights, new Stores(_checkpoint, _adapter), threads, progress, cancellation);
        Weights = _fast.Weights;
    }

    /// <summary>The memory of the base, and that of the tensors with which an adapter replaces some of it.</summary>
    private sealed class Stores(ICheckpoint checkpoint, IAdapter? adapter) : IWeightStore
    {
        // Bound: reads nothing; the stores refuse bytes that they do not hold.
        public unsafe ILastReading ReadLast(byte* data, long bytes) =>
            adapter?.Holds(data) == true ? adapter.ReadLast(data, bytes) : checkpoint.ReadLast(data, bytes);
    }

    /// <summary>
    /// Reports a part of the loading, on the thread that does it: a report on another thread could come after the next
    /// one.
    /// </summary>
    private sealed class PartOfLoading(IProgress<LoadProgress>? progress, string stage, double from, double to)
        : IProgress<double>
    {
        public void Report(double value) => progress?.Report(new LoadProgress(stage, from + (to - from) * value));
    }
}
