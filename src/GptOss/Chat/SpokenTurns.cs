using GptOss.Harmony;

namespace GptOss.Chat;

/// <summary>The last messages that the model said, with their own token ids; thread-safe.</summary>
/// <remarks>
/// Text can be cut into tokens in more than one way, and arguments that were read as JSON come back spelled differently. With
/// its own ids a history continues exactly where the model left it. What is not found is rendered anew, which is no error.
/// </remarks>
internal sealed class SpokenTurns
{
    private const int Capacity = 1024;

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Kind, string Key, string Text), HarmonyMessage> _messages = [];
    private readonly Queue<(string, string, string)> _oldest = new();

    public void AddText(HarmonyMessage message) => Add((message.Channel ?? "", "", message.Text), message);

    public void AddCall(string callId, string name, string arguments, HarmonyMessage message) => Add((callId, name, arguments), message);

    public HarmonyMessage? FindText(string channel, string text) => Find((channel, "", text));

    public HarmonyMessage? FindCall(string callId, string name, string arguments) => Find((callId, name, arguments));

    private void Add((string, string, string) key, HarmonyMessage message)
    {
        if (message.Tokens is null) return;
        lock (_lock)
        {
            if (_messages.TryAdd(key, message)) _oldest.Enqueue(key);
            else _messages[key] = message;
            if (_oldest.Count > Capacity) _messages.Remove(_oldest.Dequeue());
        }
    }

    private HarmonyMessage? Find((string, string, string) key)
    {
        lock (_lock) return _messages.GetValueOrDefault(key);
    }
}
