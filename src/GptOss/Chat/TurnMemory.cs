using GptOss.Harmony;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>The last answers in the model's own tokens, so that a history is given back as it was said.</summary>
/// <remarks>
/// An answer is found by its <c>MessageId</c>, and used only if the message still says what the answer said. It is a
/// help and not a state: a history without it is written from its text. Of old answers the oldest are forgotten.
/// Thread-safe.
/// </remarks>
/// <param name="capacity">The most tokens that are remembered.</param>
internal sealed class TurnMemory(int capacity = 1 << 20)
{
    private readonly Dictionary<string, Turn> _turns = [];
    private readonly Queue<(string Id, int Tokens)> _order = new();
    private int _tokens;

    /// <param name="messageId">A fresh one.</param>
    /// <param name="contents">What the caller was given.</param>
    /// <param name="messages">What the model said.</param>
    public void Add(string messageId, IEnumerable<AIContent> contents, IReadOnlyList<HarmonyMessage> messages)
    {
        var turn = new Turn(Said(contents), messages);
        // An answer without tokens takes room too, and there may be any number of those.
        int tokens = 1 + messages.Sum(message => message.Tokens?.Count ?? message.Text.Length);
        lock (_turns)
        {
            _turns[messageId] = turn;
            _order.Enqueue((messageId, tokens));
            _tokens += tokens;
            while (_tokens > capacity && _order.TryDequeue(out (string Id, int Tokens) oldest))
            {
                _turns.Remove(oldest.Id);
                _tokens -= oldest.Tokens;
            }
        }
    }

    /// <summary>What the model said in this message; null if that is not known, or if the message was changed.</summary>
    public IReadOnlyList<HarmonyMessage>? Find(ChatMessage message)
    {
        if (message.MessageId is not { } id)
            return null;
        Turn? turn;
        lock (_turns)
            _turns.TryGetValue(id, out turn);
        return turn is not null && turn.Said.SequenceEqual(Said(message.Contents)) ? turn.Messages : null;
    }

    /// <summary>Text, reasoning and calls in their order, however they were cut into pieces.</summary>
    private static List<(char Kind, string Text)> Said(IEnumerable<AIContent> contents)
    {
        var said = new List<(char Kind, string Text)>();
        foreach (AIContent content in contents)
        {
            (char Kind, string Text)? piece = content switch
            {
                TextContent text => ('t', text.Text),
                TextReasoningContent reasoning => ('r', reasoning.Text),
                FunctionCallContent call => ('c', $"{call.CallId} {call.Name} {ToolText.Arguments(call)}"),
                _ => null,
            };
            if (piece is not var (kind, value) || string.IsNullOrEmpty(value))
                continue;
            if (kind != 'c' && said.Count > 0 && said[^1].Kind == kind)
                said[^1] = (kind, said[^1].Text + value);
            else
                said.Add((kind, value));
        }
        return said;
    }

    private sealed record Turn(List<(char Kind, string Text)> Said, IReadOnlyList<HarmonyMessage> Messages);
}
