using System.Runtime.CompilerServices;
using GptOss.Tokenization;

namespace GptOss.Constraints;

/// <summary>
/// Counts what the grammars over one vocabulary keep together beside what they were compiled to. Whoever brings it
/// beyond the limit makes those forget that were used least recently. Thread-safe.
/// </summary>
/// <remarks>
/// The gates of others are only tried, and a grammar that is at work is passed over: so no two wait for each other.
/// What is forgotten is made again where it is needed, and no result depends on it.
/// </remarks>
internal sealed class GrammarMemory(long mostBytes)
{
    /// <summary>The most bytes of configurations, rows and masks of all grammars of a model.</summary>
    public const long MostBytes = 128L << 20;

    // Less than this is not worth the lock.
    private const long Grain = 64 << 10;

    private static readonly ConditionalWeakTable<Tokenizer, GrammarMemory> Made = [];

    private readonly Lock _lock = new();
    private readonly LinkedList<Share> _shares = []; // the one used last stands first
    private long _bytes;

    /// <summary>About how many bytes all grammars together have made.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>The memory of a vocabulary; made at the first call.</summary>
    public static GrammarMemory Of(Tokenizer tokenizer) => Made.GetValue(tokenizer, _ => new GrammarMemory(MostBytes));

    /// <summary>Counts a grammar from now on, for as long as somebody holds it.</summary>
    public Share Join(Grammar grammar)
    {
        lock (_lock)
            return _shares.AddFirst(new Share(grammar)).Value;
    }

    /// <summary>Counts what a grammar has made since it was last counted. Under the gate of the grammar.</summary>
    public void Settle(Share share, Grammar grammar)
    {
        if (Math.Abs(grammar.MadeBytes - share.Bytes) < Grain)
            return;
        lock (_lock)
        {
            Count(share, grammar.MadeBytes);
            if (_shares.Find(share) is { } node)
            {
                _shares.Remove(node);
                _shares.AddFirst(node);
            }
            for (LinkedListNode<Share>? last = _shares.Last, before; last is not null; last = before)
            {
                before = last.Previous;
                if (!last.Value.TryGet(out Grammar? other))
                {
                    Count(last.Value, 0);
                    _shares.Remove(last);
                }
                else if (_bytes > mostBytes && last.Value.Bytes > 0 && (other == grammar || other.Gate.TryEnter()))
                    Forget(last.Value, other, isEntered: other != grammar);
            }
        }
    }

    private void Forget(Share share, Grammar grammar, bool isEntered)
    {
        try
        {
            grammar.Forget();
            Count(share, grammar.MadeBytes);
        }
        finally
        {
            if (isEntered)
                grammar.Gate.Exit();
        }
    }

    private void Count(Share share, long bytes)
    {
        _bytes += bytes - share.Bytes;
        share.Bytes = bytes;
    }

    /// <summary>What is counted of one grammar, which is not held by that.</summary>
    internal sealed class Share(Grammar grammar)
    {
        private readonly WeakReference<Grammar> _grammar = new(grammar);

        /// <summary>How many bytes were counted last.</summary>
        public long Bytes { get; set; }

        /// <summary>The grammar, as long as somebody else holds it.</summary>
        public bool TryGet([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Grammar? held) =>
            _grammar.TryGetTarget(out held);
    }
}
