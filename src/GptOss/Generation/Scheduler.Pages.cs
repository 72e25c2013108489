using GptOss.Model;

namespace GptOss.Generation;

/// <summary>
/// Pages of keys and values: those of past requests are kept, and where pages run out, requests are paused.
/// </summary>
internal sealed partial class Scheduler
{
    // Where pages run out, the sequence that joined last gives its own back and is computed again later, so that
    // nothing fails. A sequence that runs alone and finds no page has filled all the memory there is: its answer ends
    // as in a full context.
    private void ReservePages()
    {
        for (int i = 0; i < _plan.Shares.Count; )
        {
            (Sequence sequence, int rows) = _plan.Shares[i];
            if (TryReserve(sequence, rows) is not { } isReserved)
                i = 0; // the system has no memory, which ended the sequence
            else if (isReserved)
                i++;
            else if (_running.Count > 1)
            {
                Pause(_running[^1]);
                i = 0; // what was reserved before stays so
            }
            else
            {
                _plan.Clear();
                sequence.EndAsFull();
                End(sequence, error: null);
            }
        }
    }

    private bool? TryReserve(Sequence sequence, int rows)
    {
        try
        {
            return sequence.Kv.TryReserve(sequence.Kv.Length + rows);
        }
        catch (OutOfMemoryException error)
        {
            _plan.Remove(sequence);
            End(sequence, error);
            return null;
        }
    }

    private void Pause(Sequence sequence)
    {
        _running.Remove(sequence);
        _plan.Remove(sequence);
        sequence.Kv.Clear();
        sequence.KeptPages = 0;
        _queue.PutBack(sequence);
    }

    private void KeepFullPages(Sequence sequence)
    {
        int full = sequence.Kv.Length / PageGroup.Positions;
        if (full == sequence.KeptPages)
            return;
        sequence.KeptPages = full;
        _prefixes.Keep(sequence.Kv, sequence.Tokens, sequence.Scope, isComplete: false);
    }
}
