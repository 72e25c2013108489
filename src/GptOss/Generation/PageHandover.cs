using GptOss.Model;

namespace GptOss.Generation;

/// <summary>
/// Takes over the keys and values of a request that ends, so that nobody can evict them before they are read.
/// </summary>
/// <remarks>
/// The scheduler's loop gives them, and whoever waits for them may have left by then. Disposing releases what was
/// given, and what is given later is released at once.
/// </remarks>
/// <param name="released">Called when the pages are held no more: a request may wait for them.</param>
internal sealed class PageHandover(Action released) : IDisposable
{
    private readonly Lock _lock = new();
    private KvSequence? _given;
    private bool _isLeft;

    /// <summary>What was given; null where nothing was.</summary>
    public KvSequence? Given
    {
        get
        {
            lock (_lock)
                return _given;
        }
    }

    /// <summary>Hands over the pages of a sequence, which nobody writes any more.</summary>
    public void Give(KvSequence pages)
    {
        lock (_lock)
            if (!_isLeft)
            {
                _given = pages;
                return;
            }
        pages.Dispose();
    }

    public void Dispose()
    {
        KvSequence? given;
        lock (_lock)
        {
            _isLeft = true;
            (given, _given) = (_given, null);
        }
        given?.Dispose();
        released();
    }
}
