namespace GptOss.Cli.Bench;

/// <summary>What <c>gptoss bench</c> is asked to measure.</summary>
/// <param name="Folder">The model's folder; null where <paramref name="Shape"/> is given.</param>
/// <param name="Shape">A published size with random weights; null where <paramref name="Folder"/> is given.</param>
/// <param name="Layers">Layers of the shape to make.</param>
/// <param name="PromptTokens">Tokens of one prefill.</param>
/// <param name="DecodeTokens">Tokens decoded after it, one by one.</param>
/// <param name="Repetitions">Runs, of whose figures the medians are reported.</param>
/// <param name="Options">Threads and the format of keys and values.</param>
/// <param name="Context">Tokens of a long context behind which decoding is measured too; null for none.</param>
/// <param name="Streams">Requests that decode at the same time, measured beside one alone; null for none.</param>
/// <param name="HasEdit">Whether an edit of the prompt is measured with and without prompt lookup.</param>
/// <param name="HasSchemas">Whether answers that are held to schemas are measured beside answers that are not.</param>
/// <param name="HasCancels">Whether the time from a cancellation to the end of the work is measured.</param>
/// <param name="Prefills">Lengths of further prompts that are read, and not answered; null for none.</param>
/// <param name="Form">In which form random weights are made.</param>
internal sealed record BenchRequest(
    string? Folder,
    PublishedShape? Shape,
    int Layers,
    int PromptTokens,
    int DecodeTokens,
    int Repetitions,
    ModelOptions Options,
    int? Context = null,
    int? Streams = null,
    bool HasEdit = false,
    bool HasSchemas = false,
    bool HasCancels = false,
    IReadOnlyList<int>? Prefills = null,
    RandomForm Form = RandomForm.Safetensors
)
{
    /// <summary>Tokens of the longest prompt that is read.</summary>
    public int LongestPrompt => Math.Max(PromptTokens, Prefills is [_, ..] ? Prefills.Max() : 0);
}

/// <summary>
/// The figures of one run of <c>gptoss bench</c>; speeds are medians over the repetitions, GB are 10⁹ bytes.
/// </summary>
internal sealed record BenchResult
{
    /// <summary>The folder's name, or the shape's.</summary>
    public required string Model { get; init; }

    /// <summary>The precision, checkpoint or fast.</summary>
    public required string Precision { get; init; }
    public required int Layers { get; init; }
    public required int Threads { get; init; }

    /// <summary>Bits of the widest registers in use: 512, 256 or 128; 0 for scalar code.</summary>
    public required int SimdBits { get; init; }
    public required int PromptTokens { get; init; }
    public required int DecodeTokens { get; init; }
    public required int Repetitions { get; init; }

    /// <summary>Seconds until the model can take a prompt; making random weights does not count.</summary>
    public required double LoadS { get; init; }
    public required double PrefillTokPerS { get; init; }
    public required double DecodeTokPerS { get; init; }

    /// <summary>What a plain read of the weights reaches with the same threads.</summary>
    public required double ReadBandwidthGbPerS { get; init; }

    /// <summary>Bytes of weights, and of keys and values on average, that one decoded token reads.</summary>
    public required long BytesPerToken { get; init; }

    /// <summary>Multiply-adds per second of the prefill, in 10⁹, without the head.</summary>
    public required double PrefillGmacPerS { get; init; }

    /// <summary>Prompts of other lengths; empty where none were asked for.</summary>
    public IReadOnlyList<PrefillFigures> Prefills { get; init; } = [];

    /// <summary>Decoding behind a long context; null where it was not asked for.</summary>
    public ContextFigures? DecodeAtContext { get; init; }

    /// <summary>The most memory that was resident, mapped pages included.</summary>
    public required long PeakMemoryBytes { get; init; }

    /// <summary>Several requests that decode at the same time; null where that was not asked for.</summary>
    public StreamFigures? DecodeOfStreams { get; init; }

    /// <summary>An edit of the prompt with and without prompt lookup; null where that was not asked for.</summary>
    public EditFigures? Edit { get; init; }

    /// <summary>Answers that are held to schemas; null where that was not asked for.</summary>
    public SchemaFigures? Schemas { get; init; }

    /// <summary>Cancelled requests, for each kind; null where they were not asked for.</summary>
    public IReadOnlyList<CancelFigures>? Cancels { get; init; }

    public double AchievedGbPerS => BytesPerToken * DecodeTokPerS / 1e9;

    /// <summary>The share of the read bandwidth that decoding reaches; 1 is the limit of the machine.</summary>
    public double ShareOfBandwidth => AchievedGbPerS / ReadBandwidthGbPerS;
}

/// <summary>Reading a prompt of a length of its own.</summary>
/// <param name="Tokens">Tokens of the prompt.</param>
/// <param name="TokPerS">Tokens of the prompt per second.</param>
internal readonly record struct PrefillFigures(int Tokens, double TokPerS);

/// <summary>
/// Decoding behind a long context of stored keys and values, beside one of <see cref="LongContext.Short"/> tokens.
/// </summary>
internal sealed record ContextFigures
{
    public required int Tokens { get; init; }
    public required double DecodeTokPerS { get; init; }
    public required double ShortDecodeTokPerS { get; init; }

    /// <summary>
    /// Bytes of keys and values that a token reads behind the long context beyond those behind the short one.
    /// </summary>
    public required long KeyValueBytesAdded { get; init; }

    public double SecondsAdded => 1 / DecodeTokPerS - 1 / ShortDecodeTokPerS;

    public double KeyValueGbPerS => KeyValueBytesAdded / SecondsAdded / 1e9;
}

/// <summary>Decoding of several requests at the same time, beside one alone through the same scheduler.</summary>
internal sealed record StreamFigures
{
    public required int Streams { get; init; }

    /// <summary>Tokens a second of all streams together.</summary>
    public required double TotalTokPerS { get; init; }

    /// <summary>Tokens a second of one stream that runs alone.</summary>
    public required double AloneTokPerS { get; init; }

    public double TokPerSOfEach => TotalTokPerS / Streams;

    /// <summary>How many times the speed of one stream alone all streams together reach.</summary>
    public double Gain => TotalTokPerS / AloneTokPerS;
}
