using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Answers;

/// <summary>What came first, while an answer was waited for.</summary>
internal enum Arrival
{
    /// <summary>The next update came.</summary>
    Update,

    /// <summary>There is news of how far the prompt is read.</summary>
    Progress,

    /// <summary>Nothing came in time.</summary>
    Silence,

    /// <summary>The answer is over.</summary>
    End,
}

/// <summary>Takes the updates of an answer one after another, without waiting for ever for any.</summary>
/// <remarks>
/// The next update is asked for only when the last one was taken, so that a client that reads slowly slows its own
/// answer and no other.
/// </remarks>
/// <param name="updates">The updates of a chat client; the enumerator is not shared.</param>
/// <param name="progress">Has the news of how far the prompt is read.</param>
internal sealed class UpdateFeed(IAsyncEnumerator<ChatResponseUpdate> updates, PromptTracker progress)
    : IAsyncDisposable
{
    private Task<bool>? _next;

    /// <summary>The update that came last.</summary>
    public ChatResponseUpdate Current => updates.Current;

    /// <summary>Waits for what comes first.</summary>
    /// <param name="atMost">How long is waited; not at all where it is negative, but for an infinite time.</param>
    /// <param name="wantsProgress">Whether news of the prompt end the wait too.</param>
    public async ValueTask<Arrival> NextAsync(TimeSpan atMost, bool wantsProgress)
    {
        Task news = progress.Changed; // before anything else, so that no news is missed
        if (_next is null)
        {
            ValueTask<bool> next = updates.MoveNextAsync();
            if (next.IsCompletedSuccessfully)
                return next.Result ? Arrival.Update : Arrival.End;
            _next = next.AsTask();
        }
        Task waited = wantsProgress ? Task.WhenAny(_next, news) : _next;
        try
        {
            bool isLate = atMost < TimeSpan.Zero && atMost != Timeout.InfiniteTimeSpan;
            await waited.WaitAsync(isLate ? TimeSpan.Zero : atMost).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The update may have come in the very moment in which the time was over.
            if (!_next.IsCompleted)
                return Arrival.Silence;
        }
        if (!_next.IsCompleted)
            return Arrival.Progress;
        bool isThere = await _next.ConfigureAwait(false);
        _next = null;
        return isThere ? Arrival.Update : Arrival.End;
    }

    /// <summary>Ends the answer, which must have been cancelled if an update is still waited for.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_next is not null)
            await ((Task)_next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await updates.DisposeAsync().ConfigureAwait(false);
    }
}
