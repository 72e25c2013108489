namespace GptOss.Model;

/// <summary>
/// How much memory keys and values may take where nobody says it: half of what is free once the weights have their
/// place. It is at least one context of 4,096 tokens, and at most what the sequences that run at once can use.
/// </summary>
/// <remarks>
/// Half, because activations, the managed heap and other programs need memory too, and pages that hold prefixes for
/// later requests fill the budget in time. The least may be more than what is free: then the system swaps or refuses,
/// but a model that can hold no conversation would be no use.
/// </remarks>
internal static class MemoryBudget
{
    /// <summary>The context that fits into every budget.</summary>
    public const int LeastContext = 4096;

    /// <summary>
    /// Rows of prompts in a pass, with which the least and the most are reckoned: in sliding layers a sequence holds
    /// the pages of the pass beside those of the window.
    /// </summary>
    public const int ChunkRows = 512;

    /// <summary>The most rows of a prompt that has a pass for itself.</summary>
    public const int LoneRows = 2048;

    /// <summary>The budget in bytes that this machine or container allows now.</summary>
    /// <param name="config">The sizes of the model.</param>
    /// <param name="format">The number format of stored keys and values.</param>
    /// <param name="contextLength">The most tokens of a sequence.</param>
    /// <param name="running">The most sequences that run at once.</param>
    /// <param name="weights">What the weights take of the memory.</param>
    public static long Default(
        ModelConfig config,
        KeyValueFormat format,
        int contextLength,
        int running,
        WeightBytes weights
    ) =>
        Of(
            Beside(weights, FreeMemory.LimitBytes, FreeMemory.OnLinux()),
            contextLength,
            running,
            PageGroup.Of(config, new KvHeadLayout(format, config.HeadDim))
        );

    /// <summary>Bytes that are free beside the weights; below zero where they do not fit.</summary>
    /// <param name="weights">What the weights take of the memory.</param>
    /// <param name="limit">The most bytes that the process may take, what it has already taken among them.</param>
    /// <param name="free">Bytes that the system has free now; null where it does not tell.</param>
    public static long Beside(WeightBytes weights, long limit, long? free) =>
        Math.Min(limit - weights.Copied, free ?? long.MaxValue) - weights.Mapped;

    /// <summary>The budget in bytes where the given bytes are free, the weights not counted.</summary>
    public static long Of(long free, int contextLength, int running, ReadOnlySpan<PageGroup> groups)
    {
        long least = PageGroup.MostBytes(groups, Math.Min(LeastContext, contextLength), ChunkRows),
            longest = PageGroup.MostBytes(groups, contextLength, ChunkRows),
            most = longest > long.MaxValue / running ? long.MaxValue : running * longest;
        return Math.Clamp(free / 2, least, most);
    }

    /// <summary>
    /// The most rows of a lone prompt's pass: activations take an eighth of the memory for keys and values.
    /// </summary>
    public static int RowsWithin(long keyValueBytes, ModelConfig config) =>
        (int)Math.Clamp(keyValueBytes / 8 / Workspace.MostRowBytes(config), ChunkRows, LoneRows);
}

/// <summary>A budget of keys and values as it is told.</summary>
/// <param name="Bytes">The most bytes that all keys and values may take.</param>
/// <param name="Pages">How many pages of 64 positions of a group of layers that is.</param>
/// <param name="Tokens">The tokens of all requests whose keys and values this holds in every layer. Of a long sequence
/// sliding layers hold only the window, so that it may be longer.</param>
/// <param name="IsDefault">Whether nobody said the budget, so that it comes from the memory that is free.</param>
internal readonly record struct BudgetFigures(long Bytes, long Pages, long Tokens, bool IsDefault)
{
    public static BudgetFigures Of(ReadOnlySpan<PageGroup> groups, long bytes, bool isDefault) =>
        new(
            bytes,
            bytes / PageGroup.MeanBytes(groups),
            bytes / PageGroup.BytesOfEach(groups) * PageGroup.Positions,
            isDefault
        );
}
