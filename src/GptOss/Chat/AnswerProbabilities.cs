using GptOss.Generation;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>
/// The log-probabilities of one answer: of all its tokens for the message, and of the tokens behind the text of each
/// update for that update. Made only where a request asks for them.
/// </summary>
internal sealed class AnswerProbabilities
{
    private readonly List<TokenProbability> _all = [];
    private readonly List<TokenProbability> _text = [];
    private bool _isMessageOver;

    /// <summary>Takes in a token of the answer.</summary>
    /// <param name="token">The token; one that was dictated has no probability.</param>
    /// <param name="isText">Whether it is text of a message, and no marker or part of a header.</param>
    public void Add(GeneratedToken token, bool isText)
    {
        if (_isMessageOver)
            _text.Clear(); // the rest of a message that nobody sees, or that a stop sequence has cut
        _isMessageOver = false;
        if (token.LogProbability is not { } own)
            return;
        var probability = new TokenProbability(token.Id, own, token.Best ?? []);
        _all.Add(probability);
        if (isText)
            _text.Add(probability);
    }

    /// <summary>Notes that a message has ended: no later update holds text of it.</summary>
    public void EndMessage() => _isMessageOver = true;

    /// <summary>Takes those of the text that came since the last time; null for none.</summary>
    public AdditionalPropertiesDictionary? TakeText()
    {
        if (_text.Count == 0)
            return null;
        var properties = new AdditionalPropertiesDictionary
        {
            [StoredProbability.Key] = StoredProbability.ToJson(_text),
        };
        _text.Clear();
        return properties;
    }

    /// <summary>Adds those of the whole answer to the properties of its message.</summary>
    public void AddTo(AdditionalPropertiesDictionary properties) =>
        properties[StoredProbability.Key] = StoredProbability.ToJson(_all);
}
