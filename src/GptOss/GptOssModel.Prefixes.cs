// Two overloads differ by a parameter without a default, a path or a stream, so that no call can mean both.
#pragma warning disable RS0026

using GptOss.Checkpoint;
using GptOss.Generation;

namespace GptOss;

// Prefixes that are saved to a file and loaded from it.
public sealed partial class GptOssModel
{
    /// <summary>
    /// Saves the keys and values of a prompt to a file, so that another process need not compute them again.
    /// </summary>
    /// <remarks>
    /// What is not known yet is computed, as a request that waits its turn. The last id is not saved: a request
    /// computes it for its logits. The file is replaced as a whole when everything is written, so that it is the old
    /// one or the new one, whenever the process ends. It holds the tokens: protect it as you would the text.
    /// </remarks>
    /// <param name="ids">The token ids of the prompt, at least two.</param>
    /// <param name="path">The file to write. An earlier one is replaced, unless it is empty: so is a device.</param>
    /// <param name="scope">The <see cref="GptOssRequestOptions.CacheScope"/> in which known beginnings are found and
    /// the prompt is kept; null for the shared one.</param>
    /// <param name="cancellationToken">Ends the work; the earlier file stays.</param>
    /// <exception cref="ArgumentException">There are fewer than two ids, or one is not in the vocabulary.</exception>
    /// <exception cref="ContextLengthException">The prompt does not fit.</exception>
    /// <exception cref="EngineBusyException">As many requests wait as may wait.</exception>
    /// <exception cref="NumericFaultException">The model's output is not finite.</exception>
    /// <exception cref="CheckpointException">A file of the model was changed since it was opened.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public Task SavePrefixAsync(
        IEnumerable<int> ids,
        string path,
        string? scope = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        int[] prompt = Prefix(ids);
        return Task.Run(
            () =>
            {
                string target = AtomicFile.Target(path);
                return SaveAsync(prompt, write => AtomicFile.WriteAsync(target, write), scope, cancellationToken);
            },
            cancellationToken
        );
    }

    /// <summary>Saves the keys and values of a prompt to a stream, which stays open.</summary>
    /// <inheritdoc cref="SavePrefixAsync(IEnumerable{int}, string, string?, CancellationToken)"/>
    /// <param name="ids">The token ids of the prompt, at least two.</param>
    /// <param name="stream">Where the prefix is written; it need not be able to seek.</param>
    /// <param name="scope">The <see cref="GptOssRequestOptions.CacheScope"/> in which known beginnings are found and
    /// the prompt is kept; null for the shared one.</param>
    /// <param name="cancellationToken">Ends the work; the stream then holds a part that loading refuses.</param>
    public Task SavePrefixAsync(
        IEnumerable<int> ids,
        Stream stream,
        string? scope = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(stream);
        int[] prompt = Prefix(ids);
        return Task.Run(() => SaveAsync(prompt, WriteAsync, scope, cancellationToken), cancellationToken);

        async Task WriteAsync(Func<Stream, Task> write)
        {
            await write(stream).ConfigureAwait(false);
            await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Loads a prefix from a file of
    /// <see cref="SavePrefixAsync(IEnumerable{int}, string, string?, CancellationToken)"/>. Requests that begin with
    /// its tokens then begin behind them, with the same answers to the last bit.
    /// </summary>
    /// <remarks>
    /// From then on it is found within its scope, by prompts that begin with all of its tokens, and given up when its
    /// memory is needed. The keys and values that sliding layers need for a shorter beginning are not in the file.
    /// The checksum tells damage, not forgery: load files of those only whom you trust with the answers.
    /// </remarks>
    /// <param name="path">The file to read.</param>
    /// <param name="scope">The <see cref="GptOssRequestOptions.CacheScope"/> of the requests that shall find it; null
    /// for the shared one.</param>
    /// <param name="cancellationToken">Ends the reading; then nothing is loaded.</param>
    /// <returns>The number of tokens.</returns>
    /// <exception cref="SavedStateException">The file is missing, damaged, of another version, model, precision or
    /// key/value format, or does not fit into the memory. Nothing was loaded.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public Task<int> LoadPrefixAsync(string path, string? scope = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Task.Run(
            async () =>
            {
                FileStream stream = OpenSaved(path);
                await using (stream.ConfigureAwait(false))
                    return await Source.Saved.ReadAsync(stream, path, scope, cancellationToken).ConfigureAwait(false);
            },
            cancellationToken
        );
    }

    /// <summary>Loads a prefix from a stream, which stays open behind the last byte of the prefix.</summary>
    /// <inheritdoc cref="LoadPrefixAsync(string, string?, CancellationToken)"/>
    /// <param name="stream">Where the prefix begins; it need not be able to seek.</param>
    /// <param name="scope">The <see cref="GptOssRequestOptions.CacheScope"/> of the requests that shall find it; null
    /// for the shared one.</param>
    /// <param name="cancellationToken">Ends the reading; then nothing is loaded.</param>
    public Task<int> LoadPrefixAsync(Stream stream, string? scope = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return Task.Run(() => Source.Saved.ReadAsync(stream, file: null, scope, cancellationToken), cancellationToken);
    }

    // Computes first, so that a file or a stream is touched only when there is something to write.
    private async Task SaveAsync(
        int[] prompt,
        Func<Func<Stream, Task>, Task> into,
        string? scope,
        CancellationToken cancellation
    )
    {
        using PageHandover handover = Source.NewHandover();
        IReadOnlyList<int> tokens = await Source
            .ComputeAsync(prompt, scope, handover, cancellation)
            .ConfigureAwait(false);
        await into(stream => Source.Saved.WriteAsync(handover.Given!, tokens, stream, cancellation))
            .ConfigureAwait(false);
    }

    private int[] Prefix(IEnumerable<int> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        int[] prompt = Counted(ids);
        return prompt.Length >= 2
            ? prompt
            : throw new ArgumentException(
                $"At least two token ids are needed, since the last is not saved, but there are {prompt.Length}.",
                nameof(ids)
            );
    }

    private static FileStream OpenSaved(string path)
    {
        try
        {
            return new FileStream(
                RegularFile.Open(path, minimumBytes: 1, advice: " Save the prefix again."),
                FileAccess.Read,
                bufferSize: 0
            );
        }
        catch (CheckpointException e)
        {
            throw new SavedStateException(path, e.Reason, e);
        }
    }
}
