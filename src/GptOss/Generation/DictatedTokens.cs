namespace GptOss.Generation;

/// <summary>
/// Asks the guide of a request about every token of the answer, and keeps the tokens that it dictates until they are
/// taken in.
/// </summary>
/// <param name="guide">The guide of the request; null where nothing is ever dictated.</param>
internal sealed class DictatedTokens(ITokenGuide? guide)
{
    private readonly Queue<int> _tokens = new();

    /// <summary>Whether the model may choose the next token.</summary>
    public bool IsEmpty => _tokens.Count == 0;

    /// <summary>Takes the next token that was dictated, if there is one.</summary>
    public bool TryTake(out int token) => _tokens.TryDequeue(out token);

    /// <summary>
    /// Tells the guide a token of the answer. What the guide throws is returned, so that it ends its own request and no
    /// pass of others; null where it throws nothing.
    /// </summary>
    public Exception? Ask(int token)
    {
        if (guide is null)
            return null;
        using var foreign = new ForeignCode();
        try
        {
            foreach (int next in guide.After(token))
                _tokens.Enqueue(next);
            return null;
        }
        catch (Exception error)
        {
            return error;
        }
    }
}
