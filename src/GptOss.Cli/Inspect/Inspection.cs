using GptOss.Checkpoint;
using GptOss.Model;

namespace GptOss.Cli.Inspect;

/// <summary>What can be said of a model folder without computing with it.</summary>
internal sealed record Inspection
{
    public required string Folder { get; init; }
    public required CheckpointLayout Layout { get; init; }
    public required IReadOnlyList<WeightFile> Files { get; init; }
    public required ModelConfig Config { get; init; }

    /// <summary>How many weights the model has: a byte of MXFP4 blocks holds two, scales do not count.</summary>
    public required long Parameters { get; init; }

    /// <summary>
    /// Weights that one token's way through the model uses: with the head, without the embedding table and the idle
    /// experts.
    /// </summary>
    public required long ActiveParameters { get; init; }

    public required long TensorBytes { get; init; }
    public required IReadOnlyList<TensorGroup> Tensors { get; init; }
    public required IReadOnlyList<MemoryNeed> Memory { get; init; }

    /// <summary>What the keys and values of all requests may take, if the model is loaded here and now.</summary>
    public required BudgetFigures Budget { get; init; }

    /// <summary>Whether every weight was read and found to be finite; else none was read.</summary>
    public bool IsVerified { get; init; }

    /// <summary>Reads config.json and the headers of the weight files.</summary>
    /// <exception cref="CheckpointException">The folder is damaged, incomplete, or of another architecture.</exception>
    /// <exception cref="Shell.UsageException">The context is longer than the model's.</exception>
    public static Inspection Of(string path, int? context)
    {
        using ModelFolder model = Open(path);
        return Of(model, context);
    }

    /// <summary>Reads every weight, too.</summary>
    /// <exception cref="CheckpointException">The folder is damaged, incomplete, or of another architecture; or a weight
    /// is not finite.</exception>
    /// <exception cref="Shell.UsageException">The context is longer than the model's.</exception>
    public static Inspection Verified(string path, int? context, CancellationToken cancellation)
    {
        using ModelFolder model = Open(path);
        if (WeightScan.FirstNotFinite(model.Weights.Tensors, cancellation) is var (tensor, element))
            throw new CheckpointException(
                tensor.File,
                $"holds a value that is not finite, at element {element}: compare the file with its origin.",
                tensor.Name
            );
        return Of(model, context) with { IsVerified = true };
    }

    // Refuses what `run` would refuse: a table of a model that cannot run would mislead.
    private static ModelFolder Open(string path) =>
        ModelFolder.Open(path, ModelOptions.Default, progress: null, CancellationToken.None);

    private static Inspection Of(ModelFolder model, int? context)
    {
        ICheckpoint files = model.Checkpoint;
        ModelConfig config = model.Config;
        List<TensorGroup> groups = TensorGroup.Of(files.Tensors);
        long total = groups.Sum(group => group.Parameters),
            bytes = groups.Sum(group => group.Bytes);
        return new Inspection
        {
            Folder = files.Path,
            Layout = config.Layout,
            Files = [.. files.Files],
            Config = config,
            Parameters = total,
            ActiveParameters = total - Idle(groups, config),
            TensorBytes = bytes,
            Tensors = groups,
            Memory = MemoryNeed.At(Contexts(context, config), config, bytes),
            Budget = BudgetFigures.Of(
                PageGroup.Of(config, new KvHeadLayout(ModelOptions.Default.KeyValueFormat, config.HeadDim)),
                model.DefaultBudget(ModelOptions.Default),
                isDefault: true
            ),
        };
    }

    private static long Idle(List<TensorGroup> groups, ModelConfig config)
    {
        long experts = groups.Where(group => group.Role == TensorRole.Expert).Sum(group => group.Parameters);
        long embedding = groups.Where(group => group.Role == TensorRole.Embedding).Sum(group => group.Parameters);
        return experts / config.NumLocalExperts * (config.NumLocalExperts - config.ExpertsPerToken)
            + (config.TieWordEmbeddings ? 0 : embedding);
    }

    private static int[] Contexts(int? asked, ModelConfig config)
    {
        if (asked > config.MaxPositions)
            throw new Shell.UsageException($"--context is {asked}, but the model's longest is {config.MaxPositions}.");
        return asked is { } one
            ? [one]
            : [.. new[] { 4096, 32_768, config.MaxPositions }.Where(n => n <= config.MaxPositions).Distinct()];
    }
}
