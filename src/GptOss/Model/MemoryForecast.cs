namespace GptOss.Model;

/// <summary>
/// What a model will take of the memory, told from its sizes and options before any of it is taken. All of it together
/// is the most that the process holds, whatever its requests are.
/// </summary>
/// <param name="Weights">The weights that a pass reads: where the files are mapped, and in memory of our own.</param>
/// <param name="KeyValues">The budget of keys and values: prefixes that are kept for later requests fill it.</param>
/// <param name="Activations">The intermediate results of the largest pass.</param>
/// <param name="Process">The code that is compiled while a model answers, the managed heap, and the threads.</param>
internal readonly record struct MemoryForecast(WeightBytes Weights, long KeyValues, long Activations, long Process)
{
    // What a process of .NET grows by until it has answered, beside all that is counted by itself, and what one more
    // thread adds. Measured (MemoryForecastTests).
    private const long GrowthBytes = 16 << 20,
        ThreadBytes = 1 << 18;

    /// <summary>The bytes that a process grows by, mapped files included.</summary>
    public long Peak => Weights.Mapped + Taken;

    /// <summary>
    /// The bytes of it that have to be free. What is mapped need not: the system reads it again where it has to.
    /// </summary>
    public long Taken => Weights.Copied + KeyValues + Activations + Process;

    /// <summary>Reckons what a model takes.</summary>
    /// <param name="config">The sizes of the model.</param>
    /// <param name="weights">What its weights take.</param>
    /// <param name="options">Threads, and how many requests run at once.</param>
    /// <param name="keyValueBytes">The budget of keys and values.</param>
    public static MemoryForecast Of(ModelConfig config, WeightBytes weights, ModelOptions options, long keyValueBytes)
    {
        int threads = options.Threads ?? Environment.ProcessorCount;
        return new(
            weights,
            keyValueBytes,
            Workspace.MostBytes(
                config,
                MemoryBudget.RowsWithin(keyValueBytes, config),
                options.MaxRunning,
                scratch: (long)threads * QueryBlockAttention.ScratchFloats(config, QueryBlock.MostRows)
            ),
            GrowthBytes + threads * ThreadBytes
        );
    }

    /// <summary>Refuses what does not fit into the memory.</summary>
    /// <param name="path">The folder or file of the model, for the message.</param>
    /// <param name="free">Bytes that are free.</param>
    /// <exception cref="InsufficientMemoryException">More has to be free than is.</exception>
    public void RequireFree(string path, long free)
    {
        if (Taken > free)
            throw new InsufficientMemoryException(
                $"{path}: {Taken} bytes of memory are needed, and {free} are free: {Weights.Copied} for weights, "
                    + $"{KeyValues} for keys and values, {Activations} for activations, {Process} for the process. "
                    + "Without ModelOptions.CopyToMemory the files are mapped and need not fit."
            );
    }
}
