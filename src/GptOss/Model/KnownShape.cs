namespace GptOss.Model;

/// <summary>Names the models that were published, by their sizes.</summary>
internal static class KnownShape
{
    /// <summary>
    /// The published model whose sizes a configuration has: <c>gpt-oss-20b</c>, <c>gpt-oss-120b</c> or the
    /// <c>gptoss-tiny</c> of GptOss.TinyModel; null for another. A fine-tune has the sizes of its base.
    /// </summary>
    public static string? NameOf(ModelConfig config) =>
        (config.NumHiddenLayers, config.NumLocalExperts, config.HiddenSize) switch
        {
            (24, 32, 2880) => "gpt-oss-20b",
            (36, 128, 2880) => "gpt-oss-120b",
            (6, 8, 192) => "gptoss-tiny",
            _ => null,
        };
}
