using GptOss.Tokenization;

namespace GptOss.Harmony;

/// <summary>
/// The ids of Harmony's markers, such as <c>&lt;|start|&gt;</c>, in one tokenizer. They are found by name, since a
/// model may bring a vocabulary of its own.
/// </summary>
internal sealed class SpecialTokens
{
    /// <summary>The spelling of <see cref="Constrain"/> in a content type such as
    /// <c>&lt;|constrain|&gt;json</c>.</summary>
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

    /// <summary>The tokenizer in which the markers were found.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>The marker that opens a header.</summary>
    public int Start { get; }

    /// <summary>The marker in a header before the name of a channel.</summary>
    public int Channel { get; }

    /// <summary>The marker in a header before a content type.</summary>
    public int Constrain { get; }

    /// <summary>The marker that ends a header; the content follows.</summary>
    public int Message { get; }

    /// <summary>The marker that ends a message while the assistant's turn goes on.</summary>
    public int End { get; }

    /// <summary>The marker that ends a call, so that a tool has to run.</summary>
    public int Call { get; }

    /// <summary>
    /// The marker that ends a message and the turn. Only a model writes it; a history has <see cref="End"/> in its
    /// place.
    /// </summary>
    public int Return { get; }

    /// <summary>The token that ends a document in training; null where the vocabulary has none.</summary>
    public int? EndOfText { get; }

    /// <summary>The ids that begin an answer: <see cref="Start"/> and the word <c>assistant</c>.</summary>
    public IReadOnlyList<int> AssistantPrompt { get; }

    /// <summary>Whether the token is <see cref="End"/>, <see cref="Call"/> or <see cref="Return"/>.</summary>
    public bool EndsMessage(int token) => token == End || token == Call || token == Return;

    /// <summary>
    /// Whether the model stops at this token: <see cref="Return"/>, <see cref="Call"/> or <see cref="EndOfText"/>. It
    /// goes on after <see cref="End"/>, since the answer comes after the reasoning.
    /// </summary>
    public bool EndsGeneration(int token) => token == Return || token == Call || token == EndOfText;

    /// <summary>The <see cref="Ending"/> that a token stands for which ends a message or an answer.</summary>
    public Ending EndingOf(int token) =>
        token == Call ? Ending.Call
        : token == End ? Ending.End
        : Ending.Turn;

    /// <summary>The <see cref="AnswerEnd"/> that a token stands for which ends an answer.</summary>
    public AnswerEnd AnswerEndOf(int token) =>
        token == Call ? AnswerEnd.Call
        : token == Return ? AnswerEnd.Return
        : AnswerEnd.EndOfText;

    /// <summary>
    /// The ids that end an answer by the chat format, as far as the tokenizer has them; null without a tokenizer.
    /// </summary>
    public static int[]? EndsOfAnswer(Tokenizer? tokenizer) =>
        tokenizer is null
            ? null
            : [.. AnswerEnds.Where(tokenizer.SpecialTokens.ContainsKey).Select(name => tokenizer.SpecialTokens[name])];

    /// <summary>The markers of the chat format that a tokenizer lacks.</summary>
    public static string[] MissingMarkers(Tokenizer tokenizer) =>
        tokenizer == Tokenizer.O200kHarmony
            ? []
            : [.. Required.Where(name => !tokenizer.SpecialTokens.ContainsKey(name))];

    /// <summary>
    /// Looks for all markers of the chat format, so that a model folder whose tokenizer lacks them is refused when it
    /// is loaded.
    /// </summary>
    /// <param name="tokenizer">The built-in tokenizer, or the one of the folder.</param>
    /// <param name="file">The file of the tokenizer, for the exception's message.</param>
    /// <exception cref="CheckpointException">The tokenizer lacks some; the message names them.</exception>
    public static void RequireMarkers(Tokenizer tokenizer, string file)
    {
        string[] missing = MissingMarkers(tokenizer);
        if (missing.Length > 0)
            throw new CheckpointException(
                file,
                $"expected the markers of the chat format, found no {string.Join(", ", missing)}. "
                    + "It is the tokenizer of another model. Use the tokenizer.json that belongs to the weights.",
                fieldName: "added_tokens"
            );
    }

    private int Find(string name) =>
        Tokenizer.SpecialTokens.TryGetValue(name, out int id)
            ? id
            : throw new HarmonyFormatException($"The tokenizer has no token {name}, which the chat format is made of.");
}
