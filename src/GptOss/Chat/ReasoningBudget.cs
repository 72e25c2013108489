using GptOss.Generation;
using GptOss.Harmony;

namespace GptOss.Chat;

/// <summary>After so many tokens of analysis in an answer, dictates the end of that channel and the beginning of <c>final</c>.</summary>
internal sealed class ReasoningBudget(int budget, SpecialTokens special) : ITokenGuide
{
    private readonly List<int> _header = [];
    private bool _inHeader = true;
    private bool _inAnalysis;
    private int _spent;

    public IReadOnlyList<int> After(int token)
    {
        if (token == special.Start || token == special.Channel)
        {
            (_inHeader, _inAnalysis) = (true, false);
            _header.Clear();
        }
        else if (token == special.Message)
        {
            _inAnalysis = _inHeader && special.Tokenizer.Decode(_header).TrimStart().StartsWith(ChannelNames.Analysis, StringComparison.Ordinal);
            _inHeader = false;
        }
        else if (special.EndsMessage(token)) _inAnalysis = false;
        else if (_inHeader) _header.Add(token);
        else if (_inAnalysis) _spent++;

        if (!_inAnalysis || _spent < budget) return [];
        _inAnalysis = false;
        return [special.End, .. special.AssistantPrompt, special.Channel, .. special.Tokenizer.Encode(ChannelNames.Final), special.Message];
    }
}
