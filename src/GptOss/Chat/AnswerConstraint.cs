using GptOss.Constraints;

namespace GptOss.Chat;

/// <summary>What an answer is held to: compiled, and shared by all requests that ask for the same.</summary>
/// <param name="Turn">The turn, from behind <c>&lt;|start|&gt;assistant</c> on, over a vocabulary.</param>
/// <param name="Name">What it is called in messages, such as <c>the schema of the answer</c>.</param>
internal sealed record AnswerConstraint(TokenConstraint Turn, string Name)
{
    /// <summary>Whether the final answer is held to a form, and not free.</summary>
    public required bool HasForm { get; init; }

    /// <summary>The tokens that no penalty touches.</summary>
    public required SparedTokens Spared { get; init; }

    /// <summary>JSON pointers to keywords that were left out of schemas, as the caller allowed.</summary>
    public IReadOnlyList<string> Relaxed { get; init; } = [];
}
