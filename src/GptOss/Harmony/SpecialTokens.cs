using GptOss.Tokenization;

namespace GptOss.Harmony;

/// <summary>The ids of Harmony's markers in one tokenizer, found by name: a model may bring its own.</summary>
internal sealed class SpecialTokens
{
    /// <summary>How <see cref="Constrain"/> is written where a content type is text.</summary>
    public const string ConstrainName = "<|constrain|>";

    private static readonly string[] Required =
    [
        "<|start|>",
        "<|channel|>",
        ConstrainName,
        "<|message|>",
        "<|end|>",
        "<|call|>",
        "<|return|>",
    ];

    private static readonly string[] AnswerEnds = ["<|return|>", "<|call|>", "<|endoftext|>"];

    /// <exception cref="HarmonyFormatException">The tokenizer lacks one of the markers.</exception>
    public SpecialTokens(Tokenizer tokenizer)
    {
        Tokenizer = tokenizer;
        Start = Find("<|start|>");
        Channel = Find("<|channel|>");
        Constrain = Find(ConstrainName);
        Message = Find("<|message|>");
        End = Find("<|end|>");
        Call = Find("<|call|>");
        Return = Find("<|return|>");
        EndOfText = tokenizer.SpecialTokens.TryGetValue("<|endoftext|>", out int id) ? id : null;
        AssistantPrompt = [Start, .. tokenizer.Encode("assistant")];
    }

    public Tokenizer Tokenizer { get; }

    /// <summary>Opens a header.</summary>
    public int Start { get; }

    /// <summary>In a header: the channel follows.</summary>
    public int Channel { get; }

    /// <summary>In a header: the content type follows.</summary>
    public int Constrain { get; }

    /// <summary>Ends a header: the content follows.</summary>
    public int Message { get; }

    /// <summary>Ends a message; the turn goes on.</summary>
    public int End { get; }

    /// <summary>Ends a message: a tool has to run.</summary>
    public int Call { get; }

    /// <summary>Ends a message: the turn is done. Only ever sampled; a history has <see cref="End"/> instead.</summary>
    public int Return { get; }

    /// <summary>Ends a raw document; null where the vocabulary has none.</summary>
    public int? EndOfText { get; }

    /// <summary>The generation prompt: <see cref="Start"/> and the word <c>assistant</c>.</summary>
    public IReadOnlyList<int> AssistantPrompt { get; }

    /// <summary>Whether the token is <see cref="End"/>, <see cref="Call"/> or <see cref="Return"/>.</summary>
    public bool EndsMessage(int token) => token == End || token == Call || token == Return;

    /// <summary>
    /// Whether sampling stops here. <see cref="End"/> is not among these: the answer comes after the reasoning.
    /// </summary>
    public bool EndsGeneration(int token) => token == Return || token == Call || token == EndOfText;

    /// <summary>The ids that end an answer by the format, as far as the tokenizer has them.</summary>
    public static int[] EndsOfAnswer(Tokenizer tokenizer) =>
        [.. AnswerEnds.Where(tokenizer.SpecialTokens.ContainsKey).Select(name => tokenizer.SpecialTokens[name])];

    /// <summary>
    /// Looks for all markers that the chat format is made of, so that a folder without them is an error when it is
    /// loaded.
    /// </summary>
    /// <param name="tokenizer">Built in, or out of the file.</param>
    /// <param name="file">The file that messages name.</param>
    /// <exception cref="CheckpointException">The tokenizer lacks some; the message names them.</exception>
    public static void RequireMarkers(Tokenizer tokenizer, string file)
    {
        if (tokenizer == Tokenizer.O200kHarmony)
            return;
        string[] missing = [.. Required.Where(name => !tokenizer.SpecialTokens.ContainsKey(name))];
        if (missing.Length > 0)
            throw new CheckpointException(
                file,
                $"expected the markers of the chat format, found no {string.Join(", ", missing)}: "
                    + "it is the tokenizer of another model. Use the tokenizer.json that belongs to the weights.",
                fieldName: "added_tokens"
            );
    }

    private int Find(string name) =>
        Tokenizer.SpecialTokens.TryGetValue(name, out int id)
            ? id
            : throw new HarmonyFormatException($"The tokenizer has no token {name}, which the chat format is made of.");
}
