using System.Text;

namespace GptOss.Constraints;

/// <summary>
/// Where a text stands in a grammar. A value: whoever keeps it can go back to it, and two that go on from it do not
/// know of each other.
/// </summary>
internal readonly struct ConstraintState
{
    private readonly RecordedByte? _recorded;

    /// <summary>The state of the empty text.</summary>
    public ConstraintState(Grammar grammar)
        : this(grammar, grammar.Start, null) { }

    private ConstraintState(Grammar grammar, Configuration configuration, RecordedByte? recorded) =>
        (Grammar, Configuration, _recorded) = (grammar, configuration, recorded);

    /// <summary>The grammar to which the text is held.</summary>
    public Grammar Grammar { get; }

    /// <summary>All readings of the text.</summary>
    public Configuration Configuration { get; }

    /// <summary>Whether the text may end.</summary>
    public bool IsComplete => Configuration.IsComplete;

    /// <summary>Whether a whole text belongs to a grammar.</summary>
    /// <exception cref="SchemaException">A byte takes more than <see cref="StepLimit.Byte"/>.</exception>
    public static bool Accepts(Grammar grammar, string text)
    {
        // A lone surrogate is no text that a model could write.
        byte[] bytes;
        try
        {
            bytes = new UTF8Encoding(false, throwOnInvalidBytes: true).GetBytes(text);
        }
        catch (EncoderFallbackException)
        {
            return false;
        }
        lock (grammar.Gate)
        {
            var state = new ConstraintState(grammar);
            foreach (byte symbol in bytes)
            {
                grammar.Trim();
                grammar.Begin(StepLimit.Byte);
                bool goesOn = state.TryAdvance(symbol, out ConstraintState next);
                if (grammar.BeginAfresh())
                    goesOn = state.TryAdvance(symbol, out next);
                if (!goesOn)
                    return false;
                state = next;
            }
            return state.IsComplete;
        }
    }

    /// <summary>The state behind a byte, or a marker as 256 plus its number, if it may come. Under the lock.</summary>
    public bool TryAdvance(int symbol, out ConstraintState next)
    {
        Configuration from = Grammar.Current(Configuration);
        int target = Grammar.Next(from, symbol, _recorded);
        if (target <= 0)
        {
            next = this;
            return false;
        }
        Configuration to = Grammar.Numbered(target);
        RecordedByte? recorded =
            to.IsRecording || to.IsPending ? new RecordedByte(from.IsRecording ? _recorded : null, (byte)symbol) : null;
        next = new ConstraintState(Grammar, to, recorded);
        return true;
    }

    /// <summary>The state behind some bytes, if they may come. Under the lock.</summary>
    public bool TryAdvance(ReadOnlySpan<byte> bytes, out ConstraintState next)
    {
        next = this;
        foreach (byte symbol in bytes)
            if (!next.TryAdvance(symbol, out next))
            {
                next = this;
                return false;
            }
        return true;
    }
}
