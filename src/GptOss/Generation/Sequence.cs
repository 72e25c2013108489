using System.Runtime.InteropServices;
using GptOss.Model;
using GptOss.Sampling;

namespace GptOss.Generation;

/// <summary>
/// The work on one request: its tokens so far, their keys and values, and the channel through which new tokens go from
/// the scheduler's loop to the reader.
/// </summary>
internal sealed class Sequence : ITokenStream
{
    /// <summary>More pending tokens than a guide dictates as a rule are read like a prompt.</summary>
    private const int MostDictated = 32;

    private readonly GenerationRequest _request;
    private readonly Action _wake;
    private readonly TokenChannel _channel = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenRegistration _cancelled;
    private readonly CancellationTokenRegistration _closed;
    private readonly List<int> _tokens;
    private readonly PromptLookup? _lookup;
    private bool _isAnswered;
    private bool _hasBegun;
    private bool _isCancelled;
    private bool _isLeft;
    private Exception? _error;

    /// <param name="request">What is asked for; its prompt was checked.</param>
    /// <param name="kv">Where the keys and values of the sequence are stored.</param>
    /// <param name="instruments">The instruments of the model.</param>
    /// <param name="wake">Lets the scheduler's loop look at its sequences again.</param>
    /// <param name="closing">Set when the model is closed.</param>
    /// <param name="cancellation">Set when the reader wants no more.</param>
    internal Sequence(
        GenerationRequest request,
        KvSequence kv,
        Instruments instruments,
        Action wake,
        CancellationToken closing,
        CancellationToken cancellation
    )
    {
        _request = request;
        _wake = wake;
        _tokens = [.. request.Prompt];
        _lookup = request.PromptLookup ? new PromptLookup(_tokens) : null;
        Choice = new TokenChoice
        {
            Options = request.Sampling,
            Seed = request.Sampling.Seed ?? (ulong)Random.Shared.NextInt64(),
            History = Penalties.NeedHistory(request.Sampling) ? new TokenHistory(_tokens) : null,
            LogProbabilities = request.LogProbabilities,
        };
        Kv = kv;
        Telemetry = new Telemetry(instruments, _tokens.Count);
        Guided = new GuidedTokens(request.Guide, Choice, Telemetry);
        // A cancellation ends the reader's stream at once, without waiting for the step that the loop takes.
        _cancelled = cancellation.UnsafeRegister(
            static (state, token) => ((Sequence)state!).Abandon(new OperationCanceledException(token)),
            this
        );
        _closed = closing.UnsafeRegister(static state => ((Sequence)state!).Halt(), this);
    }

    public Telemetry Telemetry { get; }

    public KvSequence Kv { get; }

    /// <summary>What the request's guide says of the next token, and what it took to say so.</summary>
    public GuidedTokens Guided { get; }

    /// <summary>Set when nobody wants the answer any more; a running pass then ends before its next expert.</summary>
    public CancellationToken Stop => _stop.Token;

    /// <summary>Why the answer ended; valid once the stream has ended.</summary>
    public EndReason End { get; private set; }

    /// <summary>Tokens of the prompt whose keys and values were there at the first step.</summary>
    public int CachedTokens { get; private set; }

    /// <summary>Whether the reader has room for another token.</summary>
    public bool HasRoom => _channel.Room > 0;

    /// <summary>
    /// Whether the loop may choose another token: the reader has room for it, and none is dictated in its place.
    /// </summary>
    public bool CanChoose => HasRoom && Guided.IsEmpty;

    /// <summary>Whether going on after a pause is worth the work.</summary>
    public bool CanResume => _channel.IsHalfEmpty;

    /// <summary>Tokens whose keys and values are not stored yet, oldest first.</summary>
    public ReadOnlySpan<int> Pending => Tokens[Kv.Length..];

    /// <summary>The tokens of prompt and answer so far.</summary>
    public ReadOnlySpan<int> Tokens => CollectionsMarshal.AsSpan(_tokens);

    /// <summary>Whether tokens of the prompt are pending, or of an answer that is computed again after a
    /// pause.</summary>
    public bool IsReadingPrompt => Pending.Length > MostDictated || Kv.Length < _request.Prompt.Count;

    /// <summary>The scope in which prefixes are found and kept; null for the shared one.</summary>
    public string? Scope => _request.Scope;

    /// <summary>How many full pages the prefixes have been given.</summary>
    internal int KeptPages { get; set; }

    /// <summary>Requests of higher priority are worked on first.</summary>
    public int Priority => _request.Priority;

    /// <summary>A number that grows from one request to the next.</summary>
    internal long Arrival { get; set; }

    /// <summary>How the next token is chosen, and after a pass the token itself.</summary>
    internal TokenChoice Choice { get; }

    /// <summary>The answer's tokens, as they are made.</summary>
    public IAsyncEnumerable<GeneratedToken> ReadAsync(CancellationToken cancellation = default) =>
        _channel.ReadAsync(_wake, _cancelled.Token, cancellation);

    /// <summary>
    /// Called by the loop when the sequence joins those that run, for the first time or after a pause.
    /// </summary>
    internal void Begin()
    {
        Telemetry.Resume();
        if (_hasBegun)
            return;
        _hasBegun = true;
        CachedTokens = Kv.Length;
        Telemetry.Begin(CachedTokens);
        TellProgress();
        if (Guided.Begin() is { } error)
            throw error;
    }

    /// <summary>Lets the figures of a request begin that is never worked on; the caller hears nothing of it.</summary>
    internal void BeginUntold()
    {
        if (!_hasBegun)
            Telemetry.Begin(cachedTokens: 0);
        _hasBegun = true;
    }

    /// <summary>Called by the loop after each step; tells the progress while the answer has no token.</summary>
    internal void TellProgress()
    {
        if (_isAnswered || _request.PromptRead is not { } told)
            return;
        using var foreign = new ForeignCode();
        told(new PromptProgress(_request.Prompt.Count, CachedTokens, Math.Min(Kv.Length, _request.Prompt.Count)));
    }

    /// <summary>Takes in the tokens that the guide dictates, as far as there is room; false where it dictates
    /// none.</summary>
    internal bool TakeDictated(int contextLength)
    {
        int made = Made;
        while (GoesOn && HasRoom && Guided.TryTake(out int token))
            if (Scripted is { } scripted && scripted != token)
                Fail(Guided.Refused(scripted));
            else
                Take(new GeneratedToken(token), contextLength);
        if (Made > made && Telemetry.Forced(Made - made) is { } error)
            Fail(error);
        return Made > made || !GoesOn;
    }

    /// <summary>
    /// Whether dictated tokens are given out now. Those that begin an answer wait for the prompt, while there is room.
    /// </summary>
    internal bool CanGiveOut => !GoesOn || !IsReadingPrompt || !HasRoom;

    /// <summary>How many tokens may be guessed: as many as answer and reader have room for behind one more.</summary>
    /// <param name="contextLength">The most tokens of prompt and answer.</param>
    internal int MostGuessed(int contextLength)
    {
        int room = Math.Min(_channel.Room, contextLength - _tokens.Count) - 1;
        if (_request.MaxTokens is { } most)
            room = Math.Min(room, most - Made - 1);
        room = Math.Clamp(room, 0, _lookup?.Length ?? 0);
        return room == 0 ? 0 : Guided.CountAllowed(Guess(room));
    }

    /// <summary>The share of guesses that were right so far.</summary>
    internal double RightShare => _lookup?.RightShare ?? 0;

    /// <summary>The next tokens as they are guessed; valid until a token is taken in.</summary>
    internal ReadOnlySpan<int> Guess(int count) => _lookup is null ? [] : _lookup.Guess(count);

    /// <summary>The chosen token or the script's; −1 where it is not allowed or none is left, which ends the
    /// answer.</summary>
    internal int Chosen()
    {
        int token = Scripted ?? Choice.Token;
        if (Choice.IsForbidden)
            Fail(Guided.Forbidden());
        else if (token >= 0 && Choice.Allowed?.Allows(token) == false)
            Fail(Guided.Refused(token));
        return GoesOn ? token : -1;
    }

    /// <summary>
    /// Takes in the next token of the answer, which <see cref="Deliver"/> then gives out; false where another cannot be
    /// chosen behind it, since the answer ends or the guide dictates what follows.
    /// </summary>
    internal bool Take(GeneratedToken token, int contextLength)
    {
        _tokens.Add(token.Id);
        _channel.Take(token);
        Choice.History?.Add(token.Id);
        _lookup?.Follow();
        End =
            _request.StopTokens.Contains(token.Id) ? EndReason.Stop
            : Made >= _request.MaxTokens ? EndReason.MaxTokens
            : _tokens.Count >= contextLength ? EndReason.ContextFull
            : EndReason.None;
        if (Guided.Ask(token.Id) is { } error)
            Fail(error);
        return GoesOn && Guided.IsEmpty;
    }

    /// <summary>Gives out the tokens that were taken in; false when no other follows.</summary>
    internal bool Deliver()
    {
        _isAnswered |= !IsReadingPrompt;
        if (_channel.TryDeliver(Telemetry))
            return GoesOn;
        End = EndReason.None; // the reader is gone, and saw no end
        return false;
    }

    private bool GoesOn => End == EndReason.None && _error is null;

    private int? Scripted => _request.Script is { } script && Made < script.Count ? script[Made] : null;

    private int Made => _tokens.Count - _request.Prompt.Count;

    /// <summary>Lets the answer end as in a full context, because no page is left for its keys and values.</summary>
    internal void EndAsFull() => End = EndReason.ContextFull;

    /// <summary>Lets the stream end with an error; only the first error counts.</summary>
    internal void Fail(Exception error) => _error ??= error;

    /// <summary>Called by the reader when it wants no more; the loop then releases the sequence.</summary>
    public void Dispose()
    {
        Volatile.Write(ref _isLeft, true);
        _channel.End();
        _cancelled.Dispose();
        Halt();
    }

    /// <summary>
    /// Called by the loop when it takes no further step. The stream ends last, so that a reader who has seen its end
    /// finds the memory given back and the figures recorded, unless the reader itself ended it by cancelling or
    /// disposing.
    /// </summary>
    internal void Release()
    {
        if (_request.Handover is { } handover && _error is null && Kv.Length == _request.Prompt.Count)
            handover.Give(Kv);
        else
            Kv.Dispose();
        _closed.Dispose();
        try
        {
            Telemetry.End(How());
        }
        catch (Exception error)
        {
            Fail(error); // a listener to the figures threw this, which must not end the loop
        }
        _channel.End(_error);
    }

    // The end of the request, as the figures name it. A reader that leaves early has what it wanted, such as a call or
    // a stop sequence, so that leaving is no failure.
    private string How() =>
        End != EndReason.None ? End.ToString()
        : Volatile.Read(ref _isCancelled) ? "Cancelled"
        : Volatile.Read(ref _isLeft) ? "Left"
        : "Failed";

    private void Abandon(Exception error)
    {
        Volatile.Write(ref _isCancelled, true);
        _channel.End(error);
        Halt();
    }

    private void Halt()
    {
        _stop.Cancel();
        _wake();
    }
}
