using System.Buffers.Binary;
using GptOss.Model;

namespace GptOss.Generation;

/// <summary>
/// Writes the keys and values of a prompt to a stream, and reads them back into the prefixes that requests begin with.
/// The form is that of <see cref="SavedPrefixHeader"/>.
/// </summary>
/// <remarks>
/// Runs on the caller's thread beside the scheduler's loop. Pages are held while they are written or read; their memory
/// is touched under a lock only that closing takes too, so that no memory is read that was given back. The lock is
/// never held while the stream is waited for.
/// </remarks>
/// <param name="engine">The engine, whose memory holds the keys and values.</param>
/// <param name="prefixes">Where what was read is found by requests.</param>
/// <param name="precision">How the weights are computed with.</param>
/// <param name="fingerprint">Reads the fingerprint of the model; called once, and never after closing.</param>
/// <param name="released">Called when pages are held no more: a request may wait for them.</param>
internal sealed class PrefixStore(
    Engine engine,
    PrefixCache prefixes,
    Precision precision,
    Func<ulong> fingerprint,
    Action released
)
{
    private const int ChunkBytes = 128 << 10;

    private readonly Lock _memory = new();
    private ulong? _fingerprint;
    private bool _isClosed;

    private PagePool Pool => engine.Cache.Pool;

    /// <summary>From now on nothing touches the model's memory; called before that memory goes.</summary>
    public void Close()
    {
        lock (_memory)
            _isClosed = true;
    }

    /// <summary>Writes the tokens and the pages of a sequence, which nobody writes any more.</summary>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public async Task WriteAsync(
        KvSequence sequence,
        IReadOnlyList<int> tokens,
        Stream stream,
        CancellationToken cancellation
    )
    {
        int length = sequence.Length;
        byte[] start = new byte[SavedPrefixHeader.Bytes + length * sizeof(int)];
        Header(length).Write(start);
        for (int i = 0; i < length; i++)
            BinaryPrimitives.WriteInt32LittleEndian(start.AsSpan(SavedPrefixHeader.Bytes + i * sizeof(int)), tokens[i]);
        uint checksum = SavedPrefixHeader.Checksum(0, start);
        await stream.WriteAsync(start, cancellation).ConfigureAwait(false);

        byte[] page = [];
        foreach ((int group, int index) in Seen(length))
        {
            Array.Resize(ref page, checked((int)Pool.Groups[group].PageBytes));
            CopyFrom(sequence, group, index, page);
            if (length - index * PageGroup.Positions is var used and < PageGroup.Positions)
                engine.Cache.ClearFrom(page, used);
            for (int at = 0; at < page.Length; at += ChunkBytes)
            {
                ReadOnlyMemory<byte> chunk = page.AsMemory(at, Math.Min(ChunkBytes, page.Length - at));
                checksum = SavedPrefixHeader.Checksum(checksum, chunk.Span);
                await stream.WriteAsync(chunk, cancellation).ConfigureAwait(false);
            }
        }
        byte[] end = new byte[SavedPrefixHeader.ChecksumBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(end, checksum);
        await stream.WriteAsync(end, cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// Reads a saved prefix, and lets requests of the scope find it once all of it is known to be whole.
    /// </summary>
    /// <param name="stream">Where the prefix begins; not one byte behind its end is read.</param>
    /// <param name="file">The file, named so in messages; null for a stream. A file must end with the prefix.</param>
    /// <param name="scope">The scope in which the prefix will be found; null for the shared one.</param>
    /// <param name="cancellation">Ends the reading early; then nothing is kept.</param>
    /// <returns>The number of tokens.</returns>
    /// <exception cref="SavedStateException">The prefix is damaged, foreign, or does not fit.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public async Task<int> ReadAsync(Stream stream, string? file, string? scope, CancellationToken cancellation)
    {
        var reader = new CheckedReader(stream, file, cancellation);
        SavedPrefixHeader header = await ReadHeaderAsync(reader).ConfigureAwait(false);
        int[] tokens = await ReadTokensAsync(reader, header.Tokens).ConfigureAwait(false);
        KvSequence sequence = engine.Cache.NewSequence();
        try
        {
            Begin(sequence, header.Tokens, reader);
            byte[] page = [];
            foreach ((int group, int index) in Seen(header.Tokens))
            {
                Array.Resize(ref page, checked((int)Pool.Groups[group].PageBytes));
                await reader.FillAsync(page).ConfigureAwait(false);
                CopyTo(sequence, group, index, page);
            }
            await reader.CheckEndAsync(mustEnd: file is not null).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
            prefixes.Keep(sequence, tokens, scope, isComplete: true);
            return tokens.Length;
        }
        catch (ObjectDisposedException) when (engine.Closing.IsCancellationRequested)
        {
            throw engine.Disposed(); // the pool's own error would name the pool
        }
        finally
        {
            sequence.Dispose();
            released();
        }
    }

    private async Task<SavedPrefixHeader> ReadHeaderAsync(CheckedReader reader)
    {
        byte[] bytes = new byte[SavedPrefixHeader.Bytes];
        await reader.FillAsync(bytes.AsMemory(0, SavedPrefixHeader.BeginningBytes)).ConfigureAwait(false);
        reader.Refuse(SavedPrefixHeader.WhyNotBeginning(bytes));
        await reader.FillAsync(bytes.AsMemory(SavedPrefixHeader.BeginningBytes)).ConfigureAwait(false);
        reader.Refuse(SavedPrefixHeader.WhyDamaged(bytes));
        SavedPrefixHeader header = SavedPrefixHeader.Read(bytes);
        reader.Refuse(header.WhyForeign(Header(1)));
        if (header.Tokens < 1 || header.Tokens >= engine.ContextLength)
            reader.Refuse(
                $"should have 1 to {engine.ContextLength - 1} tokens, as many as the context holds beside an answer, "
                    + $"but has {header.Tokens}."
            );
        long expected = SavedPrefixHeader.BytesOf(Pool.Groups, header.Tokens);
        if (header.FileBytes != expected)
            reader.Refuse($"should have {expected} bytes by its tokens, but by its header has {header.FileBytes}.");
        if (PageGroup.SeenBytes(Pool.Groups, header.Tokens) is var needed && needed > Pool.BudgetBytes)
            reader.Refuse(
                $"needs {needed} bytes for keys and values, and ModelOptions.KvCacheBytes is {Pool.BudgetBytes}. Raise "
                    + "that limit."
            );
        reader.Expect(expected);
        return header;
    }

    private async Task<int[]> ReadTokensAsync(CheckedReader reader, int count)
    {
        byte[] bytes = new byte[count * sizeof(int)];
        await reader.FillAsync(bytes).ConfigureAwait(false);
        int vocabulary = engine.Weights.Config.VocabSize;
        int[] tokens = new int[count];
        for (int i = 0; i < count; i++)
        {
            tokens[i] = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(i * sizeof(int)));
            if ((uint)tokens[i] >= (uint)vocabulary)
                reader.Refuse($"should have token ids from 0 to {vocabulary - 1}, but token {i} is {tokens[i]}.");
        }
        return tokens;
    }

    private void Begin(KvSequence sequence, int length, CheckedReader reader)
    {
        if (!TryBegin(sequence, length))
            reader.Refuse(
                $"needs {PageGroup.SeenBytes(Pool.Groups, length)} bytes for keys and values, and "
                    + $"{Pool.BudgetBytes - Pool.HeldBytes} of {Pool.BudgetBytes} are free beside the requests that "
                    + "run. Try again when fewer run, or raise ModelOptions.KvCacheBytes."
            );
    }

    /// <summary>
    /// Tells apart models, precisions and forms of keys and values: with the same one, a prompt has the same logits.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The model was disposed before the weights were looked at.</exception>
    public ulong Fingerprint() => ModelFingerprint.With(Weights(), (int)precision, (int)engine.Cache.Format);

    // Tries again where the system has no memory, once the pool has given back all that nobody needs now.
    private bool TryBegin(KvSequence sequence, int length)
    {
        try
        {
            return sequence.TryBegin(length);
        }
        catch (OutOfMemoryException)
        {
            prefixes.Clear();
            Pool.Trim();
            return sequence.TryBegin(length);
        }
    }

    private SavedPrefixHeader Header(int tokens) =>
        new(engine.Cache.Format, Weights(), precision, tokens, SavedPrefixHeader.BytesOf(Pool.Groups, tokens));

    // The lock also keeps the weights mapped while they are read.
    private ulong Weights()
    {
        lock (_memory)
        {
            ThrowIfClosed();
            return _fingerprint ??= fingerprint();
        }
    }

    private IEnumerable<(int Group, int Index)> Seen(int length)
    {
        for (int group = 0; group < Pool.Groups.Length; group++)
        for (int index = Pool.Groups[group].FirstPageSeenFrom(length); index < PageGroup.PagesOf(length); index++)
            yield return (group, index);
    }

    // Bound: the span has PageBytes of its group, and PagePool.Address gives a page of that group.
    private unsafe void CopyFrom(KvSequence sequence, int group, int index, Span<byte> to)
    {
        lock (_memory)
        {
            ThrowIfClosed();
            new ReadOnlySpan<byte>(Pool.Address(group, sequence.Page(group, index)), to.Length).CopyTo(to);
        }
    }

    // Bound: the span has PageBytes of its group, and PagePool.Address gives a page of that group.
    private unsafe void CopyTo(KvSequence sequence, int group, int index, ReadOnlySpan<byte> from)
    {
        lock (_memory)
        {
            ThrowIfClosed();
            from.CopyTo(new Span<byte>(Pool.Address(group, sequence.Page(group, index)), from.Length));
        }
    }

    private void ThrowIfClosed()
    {
        if (_isClosed)
            throw engine.Disposed();
    }

    /// <summary>Reads a stream to the byte, and computes the checksum of what was read.</summary>
    private sealed class CheckedReader(Stream stream, string? file, CancellationToken cancellation)
    {
        private uint _checksum;
        private long _read;
        private long _expected = SavedPrefixHeader.Bytes;

        /// <summary>How long the whole is, for messages of a file that ends early.</summary>
        public void Expect(long bytes) => _expected = bytes;

        /// <summary>Fills the buffer, chunk by chunk, so that a cancellation is heard in between.</summary>
        public async Task FillAsync(Memory<byte> buffer)
        {
            while (buffer.Length > 0)
            {
                int count = await stream
                    .ReadAsync(buffer[..Math.Min(ChunkBytes, buffer.Length)], cancellation)
                    .ConfigureAwait(false);
                if (count == 0)
                    Refuse(
                        $"should have {(_read < SavedPrefixHeader.Bytes ? "at least " : "")}{_expected} bytes, but "
                            + $"ends after {_read}: it is cut off."
                    );
                _checksum = SavedPrefixHeader.Checksum(_checksum, buffer.Span[..count]);
                _read += count;
                buffer = buffer[count..];
            }
        }

        /// <summary>Reads the checksum at the end, and compares.</summary>
        public async Task CheckEndAsync(bool mustEnd)
        {
            uint found = _checksum;
            byte[] end = new byte[SavedPrefixHeader.ChecksumBytes];
            await FillAsync(end).ConfigureAwait(false);
            uint expected = BinaryPrimitives.ReadUInt32LittleEndian(end);
            if (expected != found)
                Refuse(SavedPrefixHeader.WrongChecksum("content", expected, found));
            if (mustEnd && await stream.ReadAsync(end, cancellation).ConfigureAwait(false) > 0)
                Refuse($"should have {_expected} bytes, but has more.");
        }

        /// <summary>Throws if there is a reason to.</summary>
        public void Refuse(string? reason)
        {
            if (reason is not null)
                throw new SavedStateException(file, reason);
        }
    }
}
