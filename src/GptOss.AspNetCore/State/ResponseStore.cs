namespace GptOss.AspNetCore.State;

/// <summary>
/// Keeps answers in memory for requests that build on them, within limits of number, bytes and time; thread-safe.
/// Nothing goes to the disk.
/// </summary>
/// <remarks>
/// Whoever uses an answer uses all those that it builds on, and the answer itself counts as older than they: where the
/// limits are met, a conversation loses its end first, and not the beginning without which the end is of no use.
/// </remarks>
/// <param name="most">The most answers; 0 keeps none.</param>
/// <param name="mostBytes">The most bytes that all answers take.</param>
/// <param name="age">How long an answer is kept that nobody uses.</param>
/// <param name="time">Tells how long ago an answer was used.</param>
internal sealed class ResponseStore(int most, long mostBytes, TimeSpan age, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Scope, string Number), LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _byUse = []; // the one that was used last is the last
    private long _bytes;

    /// <summary>Whether nothing is ever kept.</summary>
    public bool IsOff => most == 0;

    /// <summary>The bytes that the answers take now.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock)
                return _bytes;
        }
    }

    /// <summary>How many answers are kept now.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _entries.Count;
        }
    }

    /// <summary>Keeps an answer, for which older ones may be forgotten.</summary>
    public void Add(StoredResponse answer)
    {
        lock (_lock)
        {
            (string, string) key = (answer.Scope ?? "", answer.Number);
            _entries.Add(key, _byUse.AddLast(new Entry(answer, time.GetTimestamp())));
            _bytes += answer.Bytes;
            Use(_entries[key]);
            Forget();
        }
    }

    /// <summary>The answer of an id such as <c>resp_N</c>; null where it is not kept, or is somebody else's.</summary>
    public StoredResponse? Find(string? scope, string id)
    {
        lock (_lock)
            return Use(Node(scope, id))?.Value.Answer;
    }

    /// <summary>An answer and all that it builds on, the oldest first; null where one of them is not kept.</summary>
    /// <param name="scope">Whose answers are looked for.</param>
    /// <param name="id">The id of the newest.</param>
    public IReadOnlyList<StoredResponse>? Chain(string? scope, string id)
    {
        lock (_lock)
        {
            var chain = new List<StoredResponse>();
            LinkedListNode<Entry>? node = Use(Node(scope, id));
            while (node is not null)
            {
                StoredResponse answer = node.Value.Answer;
                chain.Insert(0, answer);
                if (answer.Parent is null)
                    return chain;
                node = _entries.GetValueOrDefault((answer.Scope ?? "", answer.Parent));
            }
            return null;
        }
    }

    /// <summary>Forgets an answer; false where none was kept.</summary>
    public bool Remove(string? scope, string id)
    {
        lock (_lock)
        {
            if (Node(scope, id) is not { } node)
                return false;
            Remove(node);
            return true;
        }
    }

    private LinkedListNode<Entry>? Node(string? scope, string id)
    {
        const string Prefix = "resp_";
        Forget();
        return id.StartsWith(Prefix, StringComparison.Ordinal)
            ? _entries.GetValueOrDefault((scope ?? "", id[Prefix.Length..]))
            : null;
    }

    /// <summary>Makes an answer the one that was used last, and those that it builds on used even later.</summary>
    private LinkedListNode<Entry>? Use(LinkedListNode<Entry>? first)
    {
        long now = time.GetTimestamp();
        LinkedListNode<Entry>? node = first;
        while (node is not null)
        {
            node.Value.Used = now;
            _byUse.Remove(node);
            _byUse.AddLast(node);
            StoredResponse answer = node.Value.Answer;
            node = answer.Parent is { } parent ? _entries.GetValueOrDefault((answer.Scope ?? "", parent)) : null;
        }
        return first;
    }

    private void Forget()
    {
        while (
            _byUse.First is { } oldest
            && (_entries.Count > most || _bytes > mostBytes || time.GetElapsedTime(oldest.Value.Used) > age)
        )
            Remove(oldest);
    }

    private void Remove(LinkedListNode<Entry> node)
    {
        StoredResponse answer = node.Value.Answer;
        _byUse.Remove(node);
        _entries.Remove((answer.Scope ?? "", answer.Number));
        _bytes -= answer.Bytes;
    }

    private sealed class Entry(StoredResponse answer, long used)
    {
        public StoredResponse Answer { get; } = answer;

        public long Used { get; set; } = used;
    }
}
