using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace GptOss.Generation;

/// <summary>
/// The way of an answer's tokens from the scheduler's loop to the reader. Tokens are taken in while a pass is read, and
/// given out after it.
/// </summary>
/// <remarks>The way is bounded, so that a slow reader holds up its own sequence and no other.</remarks>
internal sealed class TokenChannel
{
    /// <summary>The most tokens that wait for the reader: a large model needs a few seconds for them.</summary>
    private const int Ahead = 64;

    private readonly Channel<GeneratedToken> _channel = Channel.CreateBounded<GeneratedToken>(
        new BoundedChannelOptions(Ahead) { SingleReader = true, SingleWriter = true }
    );
    private readonly Queue<GeneratedToken> _taken = new();

    /// <summary>How many more tokens may wait for the reader, besides those that were taken in.</summary>
    public int Room => Ahead - _channel.Reader.Count - _taken.Count;

    /// <summary>
    /// Whether the reader has taken half of the tokens that waited for it. With less room a sequence that goes on would
    /// stop again after a few tokens.
    /// </summary>
    public bool IsHalfEmpty => _channel.Reader.Count <= Ahead / 2;

    /// <summary>Takes in a token, for which there is room.</summary>
    public void Take(GeneratedToken token) => _taken.Enqueue(token);

    /// <summary>Gives out the tokens that were taken in; false where the reader is gone.</summary>
    /// <param name="telemetry">Told every token before it is given out.</param>
    public bool TryDeliver(Telemetry telemetry)
    {
        while (_taken.TryDequeue(out GeneratedToken token))
        {
            telemetry.Token();
            if (!_channel.Writer.TryWrite(token))
                return false;
        }
        return true;
    }

    /// <summary>Ends the reader's stream behind the tokens that were given out.</summary>
    /// <param name="error">What the reader's stream ends with; null for no error.</param>
    public void End(Exception? error = null) => _channel.Writer.TryComplete(error);

    /// <summary>The tokens as they are given out.</summary>
    /// <param name="wake">Called after each token, since there is room again.</param>
    /// <param name="cancelled">After a cancellation the reader gets none of the tokens that already wait.</param>
    /// <param name="cancellation">The same, of whoever reads.</param>
    public async IAsyncEnumerable<GeneratedToken> ReadAsync(
        Action wake,
        CancellationToken cancelled,
        [EnumeratorCancellation] CancellationToken cancellation
    )
    {
        while (await _channel.Reader.WaitToReadAsync(cancellation).ConfigureAwait(false))
        while (_channel.Reader.TryRead(out GeneratedToken token))
        {
            cancelled.ThrowIfCancellationRequested();
            cancellation.ThrowIfCancellationRequested();
            wake();
            yield return token;
        }
    }
}
