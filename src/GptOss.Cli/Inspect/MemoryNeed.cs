using GptOss.Model;

namespace GptOss.Cli.Inspect;

/// <summary>Memory that one sequence of a given length needs, keys and values stored as float32.</summary>
/// <param name="Context">Tokens of the sequence.</param>
/// <param name="KeyValueBytes">Keys and values: full layers keep every token, sliding ones their window.</param>
/// <param name="TotalBytes">With the weights, which are mapped from the file and shared between processes.</param>
internal sealed record MemoryNeed(int Context, long KeyValueBytes, long TotalBytes)
{
    public static MemoryNeed[] At(IEnumerable<int> contexts, ModelConfig config, long weightBytes) =>
        [
            .. contexts.Select(context => new MemoryNeed(
                context,
                KeysAndValues(config, context),
                weightBytes + KeysAndValues(config, context)
            )),
        ];

    /// <summary>
    /// Per token and layer <c>2 · kvHeads · headDim · 4</c> bytes. Source: spec of gpt-oss, 4,096 bytes for the
    /// published models.
    /// </summary>
    public static long KeysAndValues(ModelConfig config, int context)
    {
        long tokenBytes = 2L * config.KeyValueWidth * sizeof(float);
        return config.IsSliding.Sum(sliding =>
            (sliding ? Math.Min(context, config.SlidingWindow) : context) * tokenBytes
        );
    }
}
