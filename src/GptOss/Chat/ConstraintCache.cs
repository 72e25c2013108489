namespace GptOss.Chat;

/// <summary>
/// Keeps compiled constraints by the text of what was asked for: at most 64, of at most 64 MB together. What was used
/// least recently goes. Thread-safe.
/// </summary>
/// <remarks>
/// The key is the text itself and no hash of it. Two requests that ask for the same at once may both compile it; one
/// of the two results is kept.
/// </remarks>
internal sealed class ConstraintCache
{
    private const int Most = 64;
    private const long MostBytes = 64 << 20;

    private readonly Lock _lock = new();
    private readonly LinkedList<(string Key, AnswerConstraint Constraint)> _used = [];
    private readonly Dictionary<string, LinkedListNode<(string Key, AnswerConstraint Constraint)>> _byKey = new(
        StringComparer.Ordinal
    );

    /// <summary>The constraint of a key; made where it is not kept. What fails to be made leaves nothing.</summary>
    public AnswerConstraint Get(string key, Func<AnswerConstraint> make)
    {
        lock (_lock)
            if (_byKey.TryGetValue(key, out var kept))
            {
                _used.Remove(kept);
                _used.AddFirst(kept);
                return kept.Value.Constraint;
            }
        AnswerConstraint made = make();
        lock (_lock)
        {
            if (_byKey.TryGetValue(key, out var other))
                return other.Value.Constraint;
            _byKey[key] = _used.AddFirst((key, made));
            while (_used.Count > 1 && (_used.Count > Most || Bytes() > MostBytes))
            {
                _byKey.Remove(_used.Last!.Value.Key);
                _used.RemoveLast();
            }
        }
        return made;
    }

    private long Bytes()
    {
        long bytes = 0;
        foreach ((string key, AnswerConstraint constraint) in _used)
            bytes += 2L * key.Length + constraint.Turn.Grammar.Bytes;
        return bytes;
    }
}
