using GptOss.Checkpoint;
using GptOss.Checkpoint.Gguf;
using GptOss.Checkpoint.Safetensors;

namespace GptOss.Model;

/// <summary>
/// What the files of a model say beside their tensors: sizes and constants, the tokens that end an answer, the context.
/// </summary>
internal sealed class ModelFacts
{
    private Func<int[]?> _configEnds = () => null;

    public required ModelConfig Config { get; init; }

    /// <summary>The tokens that end an answer, where the files name them for just that; else null.</summary>
    public int[]? GenerationEnds { get; private init; }

    /// <summary>The tokens that end an answer by the configuration, which counts where nothing better does.</summary>
    /// <exception cref="CheckpointException">The configuration names no token, or one beyond the
    /// vocabulary.</exception>
    public int[]? ConfigEnds => _configEnds();

    /// <summary>The context length that the files ask for; null where they do not.</summary>
    public int? DefaultContextLength { get; private init; }

    /// <summary>Reads what a checkpoint of any container says.</summary>
    /// <exception cref="CheckpointException">The model is another one than this engine runs.</exception>
    public static ModelFacts Of(ICheckpoint checkpoint) =>
        checkpoint switch
        {
            SafetensorsFolder folder => Of(folder.Config, folder.GenerationConfig),
            GgufCheckpoint file => Of(file),
            _ => throw new ArgumentException($"No reader of {checkpoint.GetType().Name}.", nameof(checkpoint)),
        };

    private static ModelFacts Of(JsonFields config, JsonFields? generation)
    {
        var model = ModelConfig.From(config);
        return new ModelFacts
        {
            Config = model,
            GenerationEnds = ReadEnds(generation, model),
            _configEnds = () => ReadEnds(config, model),
            DefaultContextLength = generation?.OptionalInt32("default_context_length", 1, model.MaxPositions),
        };
    }

    private static ModelFacts Of(GgufCheckpoint file)
    {
        var model = ModelConfig.From(file);
        int? end = file.Keys.OptionalInt32("tokenizer.ggml.eos_token_id", 0, int.MaxValue);
        return new ModelFacts { Config = model, _configEnds = () => end < model.VocabSize ? [end.Value] : null };
    }

    private static int[]? ReadEnds(JsonFields? json, ModelConfig config)
    {
        const string field = "eos_token_id";
        int[]? ends = json?.OptionalInt32s(field, 0, config.VocabSize - 1);
        return ends is [] ? throw json!.Wrong(field, "at least one token", "none", "No answer would ever end.") : ends;
    }
}
