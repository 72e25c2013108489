using System.Diagnostics;
using GptOss.Sampling;
using GptOss.Threading;

namespace GptOss.Generation;

/// <summary>
/// Works on all requests of a model at once: its loop plans a pass over the sequences of many requests, runs the pass
/// as one batch, and deals out the tokens that come of it.
/// </summary>
/// <remarks>
/// Weights are what decoding reads, so that a pass of ten sequences takes little longer than a pass of one. Sequences
/// join and leave between passes. Only the loop's thread works on them; readers and callers wake it.
/// </remarks>
internal sealed partial class Scheduler : ILoop, IDisposable
{
    private readonly Engine _engine;
    private readonly RequestQueue _queue;
    private readonly PassBudget _budget;
    private readonly GuideDebts _debts;
    private readonly PrefixCache _prefixes;
    private readonly Admission _admission;
    private readonly FaultSearch _faults;
    private readonly PassPlan _plan;
    private readonly PassStop _stop = new();
    private readonly List<Sequence> _running = [];
    private readonly int _maxRunning;
    private readonly LoopThread _thread;

    /// <param name="engine">The engine that runs the passes.</param>
    /// <param name="options">How many requests run and wait, and how long a pass may take.</param>
    /// <param name="restAfter">How long nothing was asked when free memory goes back to the system; null for a
    /// minute.</param>
    /// <param name="budget">How many rows passes take; null for one that has measured nothing.</param>
    public Scheduler(Engine engine, ModelOptions options, TimeSpan? restAfter = null, PassBudget? budget = null)
    {
        _engine = engine;
        _queue = new RequestQueue(options.MaxQueuedRequests, options.MaxRunning);
        _budget = budget ?? new PassBudget(options.MaxPassLatency.TotalSeconds, engine.LoneRows);
        _debts = new GuideDebts(_budget);
        _maxRunning = options.MaxRunning;
        _plan = new PassPlan(engine.Samplers, engine.ContextLength);
        _prefixes = new PrefixCache(engine.Cache.Pool);
        _admission = new Admission(engine, _prefixes);
        _faults = new FaultSearch(engine);
        _thread = new LoopThread(this, "GptOss scheduler", restAfter ?? TimeSpan.FromMinutes(1));
    }

    /// <summary>The prefixes with which requests begin.</summary>
    internal PrefixCache Prefixes => _prefixes;

    /// <summary>Checks the request and hands it to the loop.</summary>
    /// <param name="request">The prompt, and how its answer is made.</param>
    /// <param name="cancellation">Ends the request early.</param>
    /// <param name="place">The place that was taken for the request; null for none.</param>
    /// <exception cref="ContextLengthException">The prompt leaves no room for an answer.</exception>
    /// <exception cref="ArgumentException">The prompt is empty or holds an id outside the vocabulary, or the logit bias
    /// forbids every token.</exception>
    /// <exception cref="EngineBusyException">As many requests wait as may wait.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public Sequence Submit(GenerationRequest request, CancellationToken cancellation, QueuePlace? place = null)
    {
        _admission.Check(request);
        if (_engine.Closing.IsCancellationRequested)
            throw _engine.Disposed();
        cancellation.ThrowIfCancellationRequested();
        if (place?.TryGive() != true)
            _queue.Accept(request.IsOwed);
        Sequence sequence;
        try
        {
            sequence = new Sequence(
                request,
                _engine.Cache.NewSequence(),
                _engine.Instruments,
                _thread.Wake,
                _engine.Closing,
                cancellation
            );
        }
        catch
        {
            _queue.GiveUp(); // a listener to the activity threw, or memory was short
            throw;
        }
        if (!_queue.TryAdd(sequence))
        {
            Refuse(sequence, _engine.Disposed()); // the model was disposed since the first look
            throw _engine.Disposed();
        }
        _stop.Arrive();
        _thread.Wake();
        GC.KeepAlive(this); // until the wake holds the scheduler, and with it the sequence
        return sequence;
    }

    /// <summary>
    /// Waits for the loop, which ends because the engine is closed. Where the caller is the loop itself, in the code of
    /// a listener, the loop ends what runs when the listener has returned.
    /// </summary>
    public void Dispose()
    {
        _thread.Wake();
        _thread.Dispose();
        foreach (Sequence sequence in _queue.Close())
            Refuse(sequence, _engine.Disposed());
        if (!_thread.IsCurrent)
        {
            EndAll(_engine.Disposed());
            _stop.Dispose();
        }
        _faults.Wait(); // the search reads the weights, which are about to go
    }

    /// <summary>
    /// Takes passes until no sequence can go on; a reader, a cancellation or a request then wakes the loop.
    /// </summary>
    void ILoop.Work()
    {
        try
        {
            while (true)
            {
                LetGo();
                Admit();
                if (!TakePass())
                    return;
            }
        }
        catch (Exception error)
        {
            // Nothing should come here. If it does, no request may wait for ever, and the next one finds the loop
            // working.
            EndAll(_engine.Closing.IsCancellationRequested ? _engine.Disposed() : EngineFaultException.For(error));
        }
    }

    /// <summary>
    /// Gives the memory of free pages back to the system, since the next request may be long in coming. Prefixes stay.
    /// </summary>
    void ILoop.Rest()
    {
        _engine.Rest();
        _engine.Cache.Pool.Trim();
    }

    // Sequences that nobody wants any more leave, running or waiting.
    private void LetGo()
    {
        for (int i = _running.Count - 1; i >= 0; i--)
            if (_running[i].Stop.IsCancellationRequested)
                End(_running[i], _engine.Disposed());
        foreach (Sequence sequence in _queue.TakeStopped())
            Refuse(sequence, _engine.Disposed());
    }

    /// <summary>Plans and runs one pass; false where no sequence can go on now.</summary>
    private bool TakePass()
    {
        bool isDictated = AppendDictated();
        bool isAlone = _running.Count == 1 && (_maxRunning == 1 || !_queue.HasReady);
        List<Sequence> going = _debts.Going(_running);
        _plan.Make(going, _budget, _stop.HasCostOthers, isAlone, _debts.Sitting);
        bool isPlanned = _plan.Shares.Count > 0;
        ReservePages();
        if (_plan.Shares.Count == 0)
            return isDictated || isPlanned;

        bool isLong = _budget.IsLong(_plan.DecodingRows, _plan.PromptRows);
        double spent = GuideDebts.Spent(_plan.Shares);
        long started = Stopwatch.GetTimestamp();
        try
        {
            // Who arrives finds a place where one of several is free.
            double yieldSeconds = _maxRunning > 1 ? _budget.YieldSeconds(_plan.PromptRows) : 0;
            CancellationToken stop = _stop.Begin(_plan.Shares, isLong, yieldSeconds);
            if (isAlone && _queue.HasReady)
                _stop.Arrive(); // between the plan and the pass
            _engine.Run(_plan, stop);
        }
        catch (OperationCanceledException)
        {
            if (_stop.HasYielded)
                _budget.Yielded();
            return true; // who was stopped leaves before the next pass
        }
        catch (Exception error)
        {
            PassFailed(error);
            return true;
        }
        finally
        {
            _stop.End();
        }
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds - (GuideDebts.Spent(_plan.Shares) - spent);
        _budget.Learn(_plan.DecodingRows, _plan.PromptRows, seconds, _debts.Pay(_running, _plan.DecodingRows, seconds));
        DealOut();
        return true;
    }

    private void DealOut()
    {
        foreach ((Sequence sequence, _) in _plan.Shares)
        {
            Guarded(sequence, static read => read.TellProgress());
            if (!sequence.Choice.IsDamaged)
                KeepFullPages(sequence);
            sequence.Kv.LetGoUnseen();
        }
        foreach (Sequence sequence in _plan.Chosen)
        {
            if (!_running.Contains(sequence))
                continue; // ended by an error of its progress
            TokenChoice choice = sequence.Choice;
            if (!Deliver(sequence))
                continue;
            if (choice.Fault is { } fault)
                End(sequence, EngineFaultException.For(fault));
            else if (choice.IsDamaged)
            {
                Leave(sequence);
                sequence.Kv.Clear(); // others need the pages while the search goes on
                _faults.End(sequence);
            }
        }
    }

    // Tokens that a guide dictates are part of the answer at once; their keys and values come with the next pass. Runs
    // before the plan of every pass, since the first tokens of an answer may be dictated too.
    private bool AppendDictated()
    {
        bool any = false;
        for (int i = _running.Count - 1; i >= 0; i--)
        {
            Sequence sequence = _running[i];
            if (!sequence.TakeDictated(_engine.ContextLength))
                continue;
            any = true;
            if (sequence.CanGiveOut)
                Deliver(sequence);
        }
        return any;
    }

    private bool Deliver(Sequence sequence)
    {
        bool goesOn = false;
        try
        {
            goesOn = sequence.Deliver();
        }
        catch (Exception error)
        {
            sequence.Fail(error); // a listener to the figures threw
        }
        if (!goesOn)
            End(sequence, error: null);
        return goesOn;
    }

    // Where a pass of several sequences fails, one of them may be the cause: each goes on alone until one pass
    // succeeds.
    private void PassFailed(Exception error)
    {
        if (_plan.Shares.Count == 1)
        {
            End(_plan.Shares[0].Sequence, EngineFaultException.For(error));
            return;
        }
        (Sequence, int)[] all = [.. _plan.Shares];
        foreach ((Sequence sequence, int rows) in all)
        {
            _plan.MakeAlone(sequence, rows);
            try
            {
                _engine.Run(_plan, sequence.Stop);
                DealOut();
            }
            catch (OperationCanceledException) { }
            catch (Exception own)
            {
                End(sequence, EngineFaultException.For(own));
            }
        }
    }

    private void Guarded(Sequence sequence, Action<Sequence> act)
    {
        try
        {
            act(sequence);
        }
        catch (Exception error)
        {
            End(sequence, error); // code of the caller threw, such as a listener or a progress
        }
    }
}
