using System.Globalization;
using GptOss.Adapter;
using GptOss.Chat;
using GptOss.Checkpoint.Gguf;
using GptOss.Generation;
using GptOss.Harmony;
using GptOss.Kernels.Registers;
using GptOss.Model;
using GptOss.Sampling;
using GptOss.Tokenization;
using Microsoft.Extensions.Logging;

namespace GptOss;

/// <summary>A loaded gpt-oss model. Immutable and safe for concurrent use; all requests share its weights.</summary>
/// <remarks>
/// The weights are used where the files are mapped: replace a model folder by renaming, never write into it while it is
/// in use, or copy them with <see cref="ModelOptions.CopyToMemory"/>.
/// </remarks>
public sealed partial class GptOssModel : IDisposable, IAsyncDisposable
{
    private readonly ModelFolder _folder;
    private readonly GptOssTokenizer? _tokenizer;
    private readonly string? _whyNoTokenizer;
    private readonly Lazy<IReadOnlyList<int>> _stopTokens;
    private readonly AnswerMemory _memory;
    private readonly int _maxOutputTokens;
    private readonly SlowProcessWarning _slow = new(Processor.Unused);
    private readonly BudgetNotice _budget;

    private GptOssModel(ModelFolder folder, ModelOptions options, Tokenizer? tokenizer, string? whyNoTokenizer)
    {
        _folder = folder;
        _tokenizer = tokenizer is null ? null : GptOssTokenizer.Over(tokenizer);
        _whyNoTokenizer = whyNoTokenizer;
        _maxOutputTokens = options.MaxOutputTokens;
        _memory = new AnswerMemory(options.AnswerMemoryBytes);
        Source = new ModelTokenSource(folder, options);
        BudgetFigures budget = Source.Budget;
        _budget = new BudgetNotice(budget.Bytes, budget.Pages, budget.Tokens, budget.IsDefault);
        _stopTokens = new(() =>
            Array.AsReadOnly(folder.StopTokens(usual: () => SpecialTokens.EndsOfAnswer(tokenizer)))
        );
    }

    /// <summary>
    /// The folder's name; in a cache of Hugging Face that of the repository, such as <c>openai/gpt-oss-20b</c>.
    /// </summary>
    public string Name => _folder.Name;

    /// <summary>
    /// The full path of the folder that was opened, or of the GGUF file; of a repository in a cache of Hugging Face
    /// that of the snapshot.
    /// </summary>
    public string Path => _folder.Path;

    /// <summary>The full path of the folder with the files: <see cref="Path"/>, or where its file lies.</summary>
    public string Folder => Format == ModelFormat.Gguf ? System.IO.Path.GetDirectoryName(Path)! : Path;

    /// <summary>
    /// The published model whose sizes this one has: <c>gpt-oss-20b</c>, <c>gpt-oss-120b</c> or <c>gptoss-tiny</c>;
    /// null for none of them. A fine-tune has the sizes of its base.
    /// </summary>
    public string? Shape => KnownShape.NameOf(_folder.Config);

    /// <summary>
    /// 16 hexadecimal digits that stand for the weights, an adapter's among them, the precision, and the form of keys
    /// and values: where they are the same, a prompt has the same logits, and a seed gives the same answer.
    /// </summary>
    /// <remarks>
    /// At the first use a little of every tensor is read, of gpt-oss-20b 2 MB. A weight that was changed elsewhere is
    /// not noticed.
    /// </remarks>
    /// <exception cref="ObjectDisposedException">The model was disposed before the first use.</exception>
    public string Fingerprint => Source.Saved.Fingerprint().ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>What the weights are stored in.</summary>
    public ModelFormat Format =>
        _folder.Config.Layout == CheckpointLayout.Gguf ? ModelFormat.Gguf : ModelFormat.Safetensors;

    /// <summary>
    /// What the loading decided without certainty, as sentences for a person; empty as a rule.
    /// </summary>
    public IReadOnlyList<string> Notes => _folder.Notes;

    /// <summary>The most tokens of one sequence, prompt and answer together.</summary>
    public int ContextLength => Engine.ContextLength;

    /// <summary>
    /// Whether a request that came now would meet an <see cref="EngineBusyException"/>, since as many wait as <see
    /// cref="ModelOptions.MaxQueuedRequests"/> allows.
    /// </summary>
    /// <remarks>
    /// A host that is asked by many can refuse before it reads a request. The next moment may say otherwise, so a
    /// request can be refused all the same.
    /// </remarks>
    public bool IsBusy => Source.IsFull;

    /// <summary>Token ids go from 0 to one less than this.</summary>
    public int VocabularySize => _folder.Config.VocabSize;

    /// <summary>Text to token ids and back.</summary>
    /// <exception cref="CheckpointException">
    /// The folder has no tokenizer for this vocabulary; the model still serves token ids.
    /// </exception>
    public GptOssTokenizer Tokenizer => _tokenizer ?? throw new CheckpointException(Path, _whyNoTokenizer!);

    /// <summary>
    /// The tokens that end an answer: those of generation_config.json, else <c>&lt;|return|&gt;</c>,
    /// <c>&lt;|call|&gt;</c> and <c>&lt;|endoftext|&gt;</c>.
    /// </summary>
    public IReadOnlyList<int> StopTokens => _stopTokens.Value;

    /// <summary>Answers requests of token ids: the prompt in, the tokens of the answer out.</summary>
    internal ModelTokenSource Source { get; }

    internal Engine Engine => Source.Engine;

    /// <summary>Everything that a chat client needs of this model.</summary>
    internal ChatSource ChatSource(string? modelId = null) =>
        new(Source, Tokenizer.Inner, modelId ?? Name, Place: null, ContextLength)
        {
            Memory = _memory,
            MaxOutputTokens = _maxOutputTokens,
            Slow = _slow,
            Budget = _budget,
            Compiled = time => Engine.Instruments.Compile.Record(time.TotalSeconds),
        };

    /// <summary>
    /// Opens a folder with safetensors files, in the Hugging Face layout or OpenAI's original one, or a GGUF file of
    /// llama.cpp's or Ollama's kinds.
    /// </summary>
    /// <param name="folder">The folder that holds config.json and the weights, or a repository's folder in a cache of
    /// Hugging Face; a GGUF file, whatever its name is, or any file of a split set; or a folder with just one
    /// of these.</param>
    /// <param name="options">Threads, context and memory; null for the defaults.</param>
    /// <param name="progress">Told how far loading has come.</param>
    /// <param name="cancellationToken">Ends the loading early.</param>
    /// <exception cref="CheckpointException">The folder is not a model this engine can run, or the adapter does not
    /// fit it; the message says why.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The options ask for a longer context than the model
    /// has.</exception>
    /// <exception cref="InsufficientMemoryException">The files are to be copied and do not fit into the memory that is
    /// free; or the system starts no more threads.</exception>
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
    /// <param name="prompt">Token ids, at least one. Of a sequence that does not know its length no more ids are taken
    /// than tell that it does not fit.</param>
    /// <param name="sampling">How tokens are chosen; null for OpenAI's recommendation.</param>
    /// <param name="maxTokens">The most tokens that are made; null for <see
    /// cref="ModelOptions.MaxOutputTokens"/>.</param>
    /// <param name="stopTokens">
    /// Tokens that end the generation, each as its last token; null for <see cref="StopTokens"/>, empty for none.
    /// </param>
    /// <param name="cancellationToken">Ends the generation, also while the prompt is read.</param>
    /// <returns>The tokens, and when all have come the reason of their end.</returns>
    /// <exception cref="ArgumentException">The logit bias forbids every token of the vocabulary.</exception>
    /// <exception cref="ArgumentOutOfRangeException">
    /// <paramref name="maxTokens"/> is below 1, or a stop token is not in the vocabulary.
    /// </exception>
    /// <exception cref="CheckpointException">
    /// The stop tokens are asked for and the folder's <c>eos_token_id</c> is damaged.
    /// </exception>
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
        sampling ??= SamplingOptions.Default;
        Penalties.RequireChoice(sampling.LogitBias, VocabularySize, nameof(sampling));
        IReadOnlyList<int> stops = stopTokens is null ? StopTokens : [.. stopTokens];
        foreach (int stop in stops)
            if ((uint)stop >= (uint)VocabularySize)
                throw new ArgumentOutOfRangeException(
                    nameof(stopTokens),
                    stop,
                    $"Token ids go from 0 to {VocabularySize - 1}."
                );
        var request = new GenerationRequest
        {
            Prompt = Counted(prompt),
            Sampling = sampling,
            StopTokens = stops,
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

    // One id more than the context holds is enough to refuse a prompt, which may have no end.
    private int[] Counted(IEnumerable<int> ids) =>
        ids.TryGetNonEnumeratedCount(out _) ? [.. ids] : [.. ids.Take(ContextLength + 1)];

    private static Tokenizer? TokenizerOf(ModelFolder folder, out string? whyNot, CancellationToken cancellation)
    {
        int size = folder.Config.VocabSize;
        if (folder.Checkpoint is GgufCheckpoint file)
        {
            Tokenizer? inFile = Tokenization.Tokenizer.ForGguf(file, size, out whyNot, cancellation);
            if (inFile is null || SpecialTokens.MissingMarkers(inFile) is not { Length: > 0 } missing)
                return inFile;
            whyNot =
                $"The tokenizer of the file has no {string.Join(", ", missing)}, of which the chat format is made: "
                + "text is not possible, token ids are.";
            return null;
        }
        Tokenizer? tokenizer = Tokenization.Tokenizer.ForFolder(folder.Path, size, out whyNot, cancellation);
        if (tokenizer is not null)
            SpecialTokens.RequireMarkers(tokenizer, System.IO.Path.Join(folder.Path, "tokenizer.json"));
        return tokenizer;
    }

    private static GptOssModel Load(
        string path,
        ModelOptions options,
        IProgress<LoadProgress>? progress,
        CancellationToken cancellation
    )
    {
        ModelFolder folder = ModelFolder.Open(
            path,
            options,
            progress,
            cancellation,
            options.Adapter is { } adapter ? config => AdapterFolder.Open(adapter, config, options.CopyToMemory) : null
        );
        GptOssModel? model = null;
        try
        {
            progress?.Report(new LoadProgress("Reading the tokenizer", 0.95));
            Tokenizer? tokenizer = TokenizerOf(folder, out string? whyNot, cancellation);
            model = new GptOssModel(folder, options, tokenizer, whyNot);
            progress?.Report(new LoadProgress("Ready", 1));
            return model;
        }
        catch
        {
            // A listener to the progress may throw, too, even when the model is ready.
            ((IDisposable?)model ?? folder).Dispose();
            throw;
        }
    }
}
