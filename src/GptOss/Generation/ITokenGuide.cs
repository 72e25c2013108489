using GptOss.Sampling;

namespace GptOss.Generation;

/// <summary>
/// Watches an answer grow, and says of every place which tokens may come there and which come without a choice. What
/// an answer is held to, such as a schema or a reasoning budget, is held in this way.
/// </summary>
/// <remarks>
/// Called by the scheduler's loop, in the midst of a pass: it must be quick, and it cannot wait for the model. An
/// exception that it throws ends the request.
/// </remarks>
internal interface ITokenGuide
{
    /// <summary>What holds for the first token of the answer.</summary>
    Guidance Begin();

    /// <summary>
    /// Told every token of the answer, dictated ones included; says what holds behind it. Behind a dictated token that
    /// others follow the answer may be empty.
    /// </summary>
    Guidance After(int token);

    /// <summary>How many of these tokens, from the first on, may come next; changes nothing.</summary>
    int CountAllowed(ReadOnlySpan<int> guess);

    /// <summary>What allows so few tokens, for the message where the request's own bias forbids them all.</summary>
    string Name { get; }
}

/// <summary>What a guide says about one place of an answer.</summary>
internal readonly record struct Guidance
{
    /// <summary>Tokens that come here without a choice; empty to let the model choose.</summary>
    public IReadOnlyList<int> Dictated
    {
        get => field ?? [];
        init;
    }

    /// <summary>The tokens that the model may choose from, at least one; null for all.</summary>
    public TokenMask? Allowed { get; init; }

    /// <summary>Tokens that no penalty for repetition touches here; null for none.</summary>
    public TokenMask? Spared { get; init; }
}
