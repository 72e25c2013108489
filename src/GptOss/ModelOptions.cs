namespace GptOss;

/// <summary>
/// How a model is loaded and run. Nothing here but <see cref="Adapter"/> changes which model it is.
/// </summary>
public sealed record ModelOptions
{
    /// <summary>
    /// One thread per processor, the context of the checkpoint, answers of at most 32,768 tokens, float32 keys and
    /// values.
    /// </summary>
    public static ModelOptions Default { get; } = new();

    /// <summary>Compute threads, 1 to 1,024; null takes one per processor. The answers do not depend on it.</summary>
    public int? Threads
    {
        get;
        init =>
            field = value is null or (>= 1 and <= 1024)
                ? value
                : throw new ArgumentOutOfRangeException(nameof(Threads), value, "Threads must be between 1 and 1024.");
    }

    /// <summary>The most tokens one sequence may hold, prompt and answer together; null takes the checkpoint's maximum,
    /// or less where its generation_config.json has a <c>default_context_length</c>, as that of the tiny model:
    /// 4,096.</summary>
    /// <remarks>Memory is taken as a sequence grows, never for the whole context at once.</remarks>
    public int? ContextLength
    {
        get;
        init =>
            field = value is null or >= 1
                ? value
                : throw new ArgumentOutOfRangeException(
                    nameof(ContextLength),
                    value,
                    "ContextLength must be at least 1."
                );
    }

    /// <summary>
    /// The most tokens of an answer, reasoning included, where the request names no limit; at least 1, 32,768 by
    /// default.
    /// </summary>
    /// <remarks>
    /// A model that has lost its thread repeats itself until the context is full, which takes hours. A chat answer that
    /// ends here has the finish reason <c>length</c>, and the log a warning. <see cref="int.MaxValue"/> leaves only the
    /// context as a limit.
    /// </remarks>
    public int MaxOutputTokens
    {
        get;
        init =>
            field =
                value >= 1
                    ? value
                    : throw new ArgumentOutOfRangeException(
                        nameof(MaxOutputTokens),
                        value,
                        "MaxOutputTokens must be at least 1."
                    );
    } = 32_768;

    /// <summary>
    /// The most bytes that the keys and values of all sequences may take together; above zero. Null takes half of the
    /// memory that is free beside the weights, within the limit of a container, and at most what
    /// <see cref="MaxRunning"/> full contexts use. The log tells the figure.
    /// </summary>
    /// <remarks>
    /// Memory is taken as it is needed. What no request uses any more is kept as long as there is room, so that a
    /// prompt that begins as an earlier one is not computed again. Other memory goes back to the system after a minute
    /// without work.
    /// </remarks>
    public long? KvCacheBytes
    {
        get;
        init =>
            field = value is null or > 0
                ? value
                : throw new ArgumentOutOfRangeException(
                    nameof(KvCacheBytes),
                    value,
                    "KvCacheBytes must be above zero."
                );
    }

    /// <summary>
    /// The most requests that are computed at the same time, as one batch; 1 to 1,024, and 16 by default. Others wait.
    /// </summary>
    public int MaxRunning
    {
        get;
        init =>
            field = value is >= 1 and <= 1024
                ? value
                : throw new ArgumentOutOfRangeException(nameof(MaxRunning), value, "MaxRunning must be 1 to 1024.");
    } = 16;

    /// <summary>
    /// The most requests that wait; at least 1, 256 by default. Another one is refused with an
    /// <see cref="EngineBusyException"/>.
    /// </summary>
    public int MaxQueuedRequests
    {
        get;
        init =>
            field =
                value >= 1
                    ? value
                    : throw new ArgumentOutOfRangeException(
                        nameof(MaxQueuedRequests),
                        value,
                        "MaxQueuedRequests must be at least 1."
                    );
    } = 256;

    /// <summary>
    /// How long a forward pass may take while answers are made, so that reading a long prompt does not hold them up;
    /// above zero, 200 ms by default.
    /// </summary>
    /// <remarks>
    /// A shorter time makes the other answers smoother and the prompt slower. A pass also stays within four times the
    /// time that the answers alone take; both as far as earlier passes tell. Where a few tokens of a prompt take longer
    /// than that, behind a long context, the passes keep to it on average. A prompt that is read gets at least a third
    /// of the time.
    /// </remarks>
    public TimeSpan MaxPassLatency
    {
        get;
        init =>
            field =
                value > TimeSpan.Zero
                    ? value
                    : throw new ArgumentOutOfRangeException(
                        nameof(MaxPassLatency),
                        value,
                        "MaxPassLatency must be above zero."
                    );
    } = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// How weights and activations are multiplied: as the checkpoint stores them, or faster and a little less exact.
    /// </summary>
    public Precision Precision
    {
        get;
        init =>
            field = Enum.IsDefined(value)
                ? value
                : throw new ArgumentOutOfRangeException(
                    nameof(Precision),
                    value,
                    "Precision must be Checkpoint or Fast."
                );
    }

    /// <summary>
    /// The folder of a LoRA adapter that is applied to the model, with adapter_config.json and
    /// adapter_model.safetensors as PEFT saves them; null for none. It must not be empty.
    /// </summary>
    /// <remarks>
    /// The weights stay as they are: what the adapter adds is computed beside them, in float32 also with
    /// <see cref="Precision.Fast"/>. docs/fine-tunes.md has the forms that are read.
    /// </remarks>
    public string? Adapter
    {
        get;
        init =>
            field = value is not ""
                ? value
                : throw new ArgumentException("Adapter must be a folder, or null for none.", nameof(Adapter));
    }

    /// <summary>
    /// Whether the weights are read into memory when the model is loaded; else their files are mapped, which is the
    /// default.
    /// </summary>
    /// <remarks>
    /// A mapped file that another program cuts, or whose disk goes away, ends the process at the next read, and nothing
    /// can catch that. A copy is safe from whatever becomes of the file. It takes as many bytes as the files have, at
    /// once and for this process alone, and is refused where they are not free. With <see cref="Precision.Fast"/> the
    /// dense weights take their place twice.
    /// </remarks>
    public bool CopyToMemory { get; init; }

    /// <summary>
    /// How keys and values are stored: float32 is exact, the others shrink the memory of long contexts.
    /// </summary>
    public KeyValueFormat KeyValueFormat
    {
        get;
        init =>
            field = Enum.IsDefined(value)
                ? value
                : throw new ArgumentOutOfRangeException(
                    nameof(KeyValueFormat),
                    value,
                    "KeyValueFormat must be Float32, Float16 or Int8."
                );
    }

    /// <summary>
    /// The most bytes of texts that the model's memory of answers holds, for requests with
    /// <see cref="GptOssRequestOptions.RecallAnswers"/>; 0 remembers nothing. 4 MiB by default, at least 0.
    /// </summary>
    public long AnswerMemoryBytes
    {
        get;
        init =>
            field =
                value >= 0
                    ? value
                    : throw new ArgumentOutOfRangeException(
                        nameof(AnswerMemoryBytes),
                        value,
                        "AnswerMemoryBytes must be at least 0."
                    );
    } = 4 << 20;
}

/// <summary>How weights and activations are multiplied. Either gives the same bits on every machine.</summary>
public enum Precision
{
    /// <summary>The weights as stored, float32 activations.</summary>
    Checkpoint,

    /// <summary>
    /// Int8 activations, and int8 copies of the dense weights, derived when the model is loaded; a float scale for 32
    /// of either. Router, norms, attention and softmax stay float32. docs/performance.md has what it costs and brings.
    /// </summary>
    Fast,
}

/// <summary>The number format of stored keys and values.</summary>
public enum KeyValueFormat
{
    /// <summary>32 bits: 4,096 bytes per token and layer of gpt-oss.</summary>
    Float32,

    /// <summary>16 bits: 2,048 bytes per token and layer of gpt-oss.</summary>
    Float16,

    /// <summary>8 bits, and a float32 scale per head: 1,088 bytes per token and layer of gpt-oss.</summary>
    Int8,
}

/// <summary>How far loading has come.</summary>
/// <param name="Stage">What is being done, for a person to read.</param>
/// <param name="Fraction">0 at the beginning, 1 when the model is ready.</param>
public readonly record struct LoadProgress(string Stage, double Fraction);
