using System.Globalization;
using System.Text.RegularExpressions;
using GptOss.Checkpoint;

namespace GptOss.Adapter;

/// <summary>
/// The fields of adapter_config.json: the scale and the rank of each module. A field that asks for more than plain LoRA
/// is refused by its name.
/// </summary>
/// <remarks>
/// Null, false and what is empty count as absent. Fields of training alone, such as lora_dropout, are read over.
/// Source: src/peft/tuners/lora/config.py in huggingface/peft.
/// </remarks>
internal sealed class AdapterConfig
{
    public const string FileName = "adapter_config.json";

    private const int MaxRank = 1 << 20;

    /// <summary>The most expressions of one field; one takes a millisecond and a third of a megabyte.</summary>
    private const int MaxExpressions = 500;

    private const string PlainOnly =
        "Only plain LoRA is read: merge the adapter into its base with the tool that made it.";

    // Each of them changes what is computed, or which tensors the adapter has.
    private static readonly string[] Foreign =
    [
        "use_dora",
        "lora_bias",
        "fan_in_fan_out",
        "layer_replication",
        "alora_invocation_tokens",
        "trainable_token_indices",
        "use_qalora",
        "use_bdlora",
        "arrow_config",
        "velora_config",
        "kasa_config",
        "monteclora_config",
    ];

    // Initialisations that take a part out of the base's weights: what was published as the base is then another model.
    private static readonly string[] ChangesBase = ["pissa", "olora", "corda", "loftq", "lora_ga"];

    private readonly JsonFields _json;
    private readonly Pattern[] _ranks,
        _alphas;
    private readonly int _rank;
    private readonly double _alpha;
    private readonly bool _isStabilised;

    private AdapterConfig(JsonFields json)
    {
        _json = json;
        json.RequireText("peft_type", "LORA");
        foreach (string field in Foreign)
            json.RequireNothing(field, PlainOnly);
        if (json.OptionalText("bias") is { } bias && bias != "none")
            throw json.Wrong("bias", "'none'", JsonFields.Quoted(bias), PlainOnly);
        RefuseChangedBase();
        _rank = json.Int32("r", 1, MaxRank);
        _alpha = Alpha(json, "lora_alpha");
        _isStabilised = json.OptionalBoolean("use_rslora") ?? false;
        _ranks = Patterns("rank_pattern", (fields, name) => fields.Int32(name, 1, MaxRank));
        _alphas = Patterns("alpha_pattern", Alpha);
        SavedModules = json.OptionalTexts("modules_to_save") ?? [];
    }

    /// <summary>The modules of which the adapter has whole tensors.</summary>
    public string[] SavedModules { get; }

    /// <summary>Reads the configuration of an adapter's folder.</summary>
    /// <exception cref="CheckpointException">The file is damaged, or asks for what is not read.</exception>
    public static AdapterConfig Load(string folder) => new(JsonFields.Load(Path.Join(folder, FileName)));

    /// <summary>What a module's product is multiplied by: α / r, or α / √r with use_rslora.</summary>
    /// <param name="module">The module's name without what PEFT puts before it.</param>
    /// <param name="rank">The rank of its tensors.</param>
    public float Scale(string module, int rank)
    {
        double alpha = Array.Find(_alphas, pattern => pattern.Matches(module))?.Value ?? _alpha;
        return (float)(alpha / (_isStabilised ? Math.Sqrt(rank) : rank));
    }

    /// <exception cref="CheckpointException">The rank of a tensor is not what the configuration says.</exception>
    public void RequireRank(string module, int rank, string tensor)
    {
        Pattern? pattern = Array.Find(_ranks, pattern => pattern.Matches(module));
        double expected = pattern?.Value ?? _rank;
        if (expected != rank)
            throw _json.Wrong(
                pattern is null ? "r" : $"rank_pattern.{pattern.Key}",
                $"{rank}, the rank of tensor '{Printable.Name(tensor)}'",
                $"{expected}",
                "The two files are not of one adapter."
            );
    }

    /// <summary>The error for a module of modules_to_save that has no tensors.</summary>
    public CheckpointException NotSaved(string module) =>
        _json.Wrong("modules_to_save", $"tensors of '{Printable.Name(module)}' beside the configuration", "none");

    private static double Alpha(JsonFields json, string field)
    {
        double alpha = json.Number(field);
        return Math.Abs(alpha) <= float.MaxValue
            ? alpha
            : throw json.Wrong(field, "a number that float32 has", alpha.ToString(CultureInfo.InvariantCulture));
    }

    private void RefuseChangedBase()
    {
        const string field = "init_lora_weights";
        if (
            _json.IsText(field)
            && _json.Text(field) is var way
            && ChangesBase.Any(start => way.StartsWith(start, StringComparison.OrdinalIgnoreCase))
        )
            throw _json.Wrong(
                field,
                "a way that leaves the base as it is",
                JsonFields.Quoted(way),
                "The training changed the base's weights, so that the adapter does not fit the published ones: convert "
                    + "it with PEFT (path_initial_model_for_weight_conversion), or merge it."
            );
    }

    private Pattern[] Patterns(string field, Func<JsonFields, string, double> read)
    {
        if (_json.OptionalObject(field) is not { } patterns)
            return [];
        if (patterns.Names.Count(key => !IsPlain(key)) is var count && count > MaxExpressions)
            throw _json.Wrong(field, $"at most {MaxExpressions} regular expressions", $"{count}");
        return [.. patterns.Names.Select(name => new Pattern(name, Compile(patterns, name), read(patterns, name)))];
    }

    // What tools write: the name of a module, where a dot stands for itself or, by the rules of expressions, for
    // another character.
    private static bool IsPlain(string key) => key.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.');

    // A key matches a whole name, or its end behind a dot. A plain one needs no expression to be made.
    private static Regex? Compile(JsonFields patterns, string key)
    {
        if (IsPlain(key))
            return null;
        const string Before = @"\A(?:.*\.)?(?:";
        try
        {
            return new Regex($@"{Before}{key})\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            string why = e is RegexParseException error ? Printable.Fault(error, Before.Length) : e.Message;
            throw patterns.Wrong(key, "a regular expression without look-around", "another key", why);
        }
    }

    private sealed record Pattern(string Key, Regex? Regex, double Value)
    {
        public bool Matches(string module) => Regex?.IsMatch(module) ?? IsEnd(module);

        private bool IsEnd(string module)
        {
            int start = module.Length - Key.Length;
            if (start < 0 || (start > 0 && module[start - 1] != '.'))
                return false;
            for (int i = Key.Length - 1; i >= 0; i--)
                if (Key[i] != '.' && Key[i] != module[start + i])
                    return false;
            return true;
        }
    }
}
