namespace GptOss.Chat;

/// <summary>
/// Keeps compiled constraints by the text of what was asked for: at most 64, of at most 64 MB together. What was used
/// least recently goes. Thread-safe.
/// </summary>
/// <remarks>
/// The key is the text itself and no hash of it. Two requests that ask for the same at once may both compile it; one
/// of the two results is kept. A constraint grows while it is used, so the bytes are looked at by every request.
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

    /// <summary>How many constraints are kept.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _used.Count;
        }
    }

    /// <summary>The constraint of a key; made where it is not kept. What fails to be made leaves nothing.</summary>
    public AnswerConstraint Get(string key, Func<AnswerConstraint> make)
    {
        lock (_lock)
            if (Find(key) is { } kept)
                return kept;
        AnswerConstraint made = make();
        lock (_lock)
        {
            if (Find(key) is { } other)
                return other;
            _byKey[key] = _used.AddFirst((key, made));
            Shrink();
        }
        return made;
    }

    private AnswerConstraint? Find(string key)
    {
        if (!_byKey.TryGetValue(key, out var kept))
            return null;
        _used.Remove(kept);
        _used.AddFirst(kept);
        Shrink();
        return kept.Value.Constraint;
    }

    // The one used last stays, however large it is: its request holds it anyway.
    private void Shrink()
    {
        long bytes = 0;
        foreach ((string key, AnswerConstraint constraint) in _used)
            bytes += 2L * key.Length + constraint.Turn.Grammar.Bytes;
        while (_used.Count > 1 && (_used.Count > Most || bytes > MostBytes))
        {
            (string key, AnswerConstraint constraint) = _used.Last!.Value;
            bytes -= 2L * key.Length + constraint.Turn.Grammar.Bytes;
            _byKey.Remove(key);
            _used.RemoveLast();
        }
    }
}
