using System.Diagnostics;
using GptOss.Constraints.Walkers;
using GptOss.Sampling;
using GptOss.Tokenization;

namespace GptOss.Constraints;

/// <summary>
/// A grammar over the tokens of a vocabulary: which may come next, and where a text stands behind one. Thread-safe, and
/// shared by all sequences that are held to the grammar.
/// </summary>
internal sealed class TokenConstraint
{
    private readonly Tokenizer _tokenizer;
    private readonly VocabularyMasks _vocabulary;
    private readonly MaskBuilder _builder;
    private readonly int[] _markers;
    private readonly GrammarMemory _memory;
    private readonly GrammarMemory.Share _share;

    /// <param name="grammar">The grammar as it was compiled.</param>
    /// <param name="tokenizer">Its vocabulary gets its tries at the first use.</param>
    /// <param name="markers">The token of each marker of the grammar; empty for a grammar of text alone.</param>
    public TokenConstraint(Grammar grammar, Tokenizer tokenizer, int[] markers)
    {
        (Grammar, _tokenizer, _markers) = (grammar, tokenizer, markers);
        _vocabulary = VocabularyMasks.Of(tokenizer);
        _builder = new MaskBuilder(grammar, _vocabulary);
        _memory = GrammarMemory.Of(tokenizer);
        _share = _memory.Join(grammar);
        Start = new ConstraintState(grammar);
    }

    /// <summary>The grammar as it was compiled.</summary>
    public Grammar Grammar { get; }

    /// <summary>The state of the empty text.</summary>
    public ConstraintState Start { get; }

    /// <summary>How many masks were worked out.</summary>
    public int MasksBuilt { get; private set; }

    /// <summary>How long that took.</summary>
    public TimeSpan BuildTime { get; private set; }

    /// <summary>The text behind a token, if the token may come.</summary>
    /// <exception cref="SchemaException">Working it out takes more than <see cref="StepLimit.Mask"/>.</exception>
    public bool TryAdvance(ConstraintState state, int token, out ConstraintState next)
    {
        lock (Grammar.Gate)
        {
            (bool mayCome, next) = Limited(() => (Advance(state, token, out ConstraintState behind), behind));
            return mayCome;
        }
    }

    /// <summary>A token in a message: its number, and its text as far as a line has room for it.</summary>
    public string NameOf(int token) =>
        (uint)token < (uint)_vocabulary.Size
            ? $"The token {token}, '{Printable.Name(_tokenizer.Decode([token]))}',"
            : $"The token {token}, which the vocabulary of {_vocabulary.Size} does not have,";

    /// <summary>The text behind a marker, by its number, if it may come; no token need stand for it.</summary>
    /// <exception cref="SchemaException">Working it out takes more than <see cref="StepLimit.Mask"/>.</exception>
    public bool TryStep(ConstraintState state, int marker, out ConstraintState next)
    {
        lock (Grammar.Gate)
        {
            (bool mayCome, next) = Limited(() => (state.TryAdvance(256 + marker, out ConstraintState behind), behind));
            return mayCome;
        }
    }

    /// <summary>The tokens that may come next: a function of the grammar, the vocabulary and the text alone.</summary>
    /// <exception cref="SchemaException">Working them out takes more than <see cref="StepLimit.Mask"/>.</exception>
    public TokenMask MaskOf(ConstraintState state)
    {
        lock (Grammar.Gate)
        {
            Configuration own = Grammar.Current(state.Configuration);
            return own.Mask is { } mask && own.MaskOwner == this ? mask : NewMask(state);
        }
    }

    /// <summary>
    /// The tokens that are the only ones to follow, as far as the model has no choice of tokens either.
    /// </summary>
    public List<int> ForcedRun(ConstraintState state)
    {
        lock (Grammar.Gate)
            return Limited(() => new ForcedRun(_tokenizer, _vocabulary, _markers).Of(state));
    }

    private bool Advance(ConstraintState state, int token, out ConstraintState next)
    {
        int marker = Array.IndexOf(_markers, token);
        if (marker >= 0)
            return state.TryAdvance(256 + marker, out next);
        next = state;
        return (uint)token < (uint)_vocabulary.Size
            && !_tokenizer.IsSpecial(token)
            && _vocabulary.Bytes[token] is { IsEmpty: false } bytes
            && state.TryAdvance(bytes, out next);
    }

    // Apart from what is kept, whose look-up allocates nothing.
    private TokenMask NewMask(ConstraintState state) => Limited(() => Mask(state));

    private TokenMask Mask(ConstraintState state)
    {
        Configuration own = Grammar.Current(state.Configuration);
        // A longer token could tell apart what stands for each other.
        Configuration standing = _vocabulary.Bytes.Longest < TextLengths.Margin ? Grammar.Representative(own) : own;
        if (standing.Mask is { } mask && standing.MaskOwner == this)
            return mask;

        long began = Stopwatch.GetTimestamp();
        mask = _builder.Build(state, standing, _markers);
        BuildTime += Stopwatch.GetElapsedTime(began);
        MasksBuilt++;
        if (_builder.DependedOnText && own.IsRecording | own.IsPending)
            return mask;
        Configuration keeper = _builder.DependedOnText ? own : standing;
        (keeper.Mask, keeper.MaskOwner) = (mask, this);
        Grammar.Take(mask.Bytes);
        return mask;
    }

    // Under the gate of the grammar.
    private T Limited<T>(Func<T> work)
    {
        Grammar.Trim();
        Grammar.Begin();
        try
        {
            T done = work();
            return Grammar.BeginAfresh() ? work() : done;
        }
        finally
        {
            _memory.Settle(_share, Grammar);
        }
    }
}
