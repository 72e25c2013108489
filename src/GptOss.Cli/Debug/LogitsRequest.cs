using System.Text.Json.Serialization;

namespace GptOss.Cli.Debug;

/// <summary>What <c>gptoss debug logits</c> is asked for.</summary>
/// <param name="Folder">The folder of the model.</param>
/// <param name="Tokens">The prompt: at least one id, not yet compared with the vocabulary.</param>
/// <param name="Positions">Positions within the prompt whose logits are wanted, ascending, each once.</param>
/// <param name="Greedy">Tokens to choose greedily after the prompt, stop tokens not being special; 0 for none.</param>
/// <param name="Chunk">Prompt tokens in one forward pass; null gives all at once.</param>
/// <param name="Interleave">Copies of the sequence in one batch, shifted against each other; all must agree.</param>
/// <param name="Options">Threads and the format of keys and values.</param>
internal sealed record LogitsRequest(
    string Folder,
    int[] Tokens,
    int[] Positions,
    int Greedy,
    int? Chunk,
    int Interleave,
    ModelOptions Options
);

/// <summary>What the oracle's check reads: <c>{"logits": {"position": [values]}, "greedy": [ids]}</c>.</summary>
/// <param name="Logits">One value per token of the vocabulary, by position.</param>
/// <param name="Greedy">The chosen ids; null where none were asked for, since the check takes an empty list for a
/// failure.</param>
internal sealed record LogitsResult(
    SortedDictionary<int, float[]> Logits,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int[]? Greedy
);
