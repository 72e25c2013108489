using System.Net;

namespace GptOss.Hub;

/// <summary>Fetches one file from the byte on that is missing, however often connections break.</summary>
/// <param name="client">Makes the requests to the hub.</param>
/// <param name="repository">Whose file it is.</param>
/// <param name="commit">The commit that the file is of.</param>
/// <param name="hooks">What the machine is asked through.</param>
/// <param name="meter">Told of every byte.</param>
internal sealed class FileFetch(
    HubClient client,
    RepositoryName repository,
    string commit,
    HubHooks hooks,
    ProgressMeter meter
)
{
    private const int BufferBytes = 1 << 18;

    /// <summary>Makes the file whole, and moves it to its place.</summary>
    /// <param name="file">Which file is fetched.</param>
    /// <param name="partial">Where its beginning is, or will be.</param>
    /// <param name="target">Where it goes once it is verified.</param>
    /// <param name="cancellation">Ends the work; the beginning stays.</param>
    /// <exception cref="HubException">It cannot be fetched.</exception>
    public async Task RunAsync(HubFile file, string partial, string target, CancellationToken cancellation)
    {
        const int Attempts = 2;
        for (int attempt = 1; ; attempt++)
        {
            string hash;
            using (
                PartialFile part = await PartialFile.OpenAsync(partial, file, hooks, cancellation).ConfigureAwait(false)
            )
            {
                meter.Begin(file, part.Length);
                await FillAsync(file, part, cancellation).ConfigureAwait(false);
                hash = part.Complete();
            }
            if (hash == file.ETag)
                break;
            File.Delete(partial);
            meter.Begin(file, 0);
            if (attempt == Attempts)
                throw new HubException(
                    HubProblem.WrongContent,
                    $"{repository}: '{file.Path}' came with the wrong content twice: its hash should be {file.ETag} "
                        + $"and is {hash}. A proxy may change what comes through it; try again from another network."
                );
        }
        File.Move(partial, target, overwrite: true);
    }

    private async Task FillAsync(HubFile file, PartialFile part, CancellationToken cancellation)
    {
        var retries = new Retries(hooks.Delay, waiting => meter.Say(file, waiting));
        Uri? place = null;
        while (part.Length < file.Bytes)
        {
            try
            {
                place ??= await PlaceAsync(file, cancellation).ConfigureAwait(false);
                using HttpResponseMessage response = await client
                    .BytesAsync(place, file.Path, part.Length, cancellation)
                    .ConfigureAwait(false);
                if (IsExpired(response))
                {
                    place = null;
                    throw client.Errors.Broken(file.Path, response.RequestMessage!.RequestUri!, "the link has expired");
                }
                Admit(file, part, response);
                await CopyAsync(file, part, response, retries, cancellation).ConfigureAwait(false);
            }
            catch (TransientException failure)
            {
                await retries.AfterAsync(failure, cancellation).ConfigureAwait(false);
            }
        }
    }

    private async Task<Uri> PlaceAsync(HubFile file, CancellationToken cancellation)
    {
        Uri address = client.Address(repository.Owner, repository.Name, "resolve", commit, file.Path);
        FilePlace place = await client.PlaceAsync(address, file, cancellation).ConfigureAwait(false);
        string? wrong =
            place.Bytes is { } bytes && bytes != file.Bytes ? $"{bytes} bytes"
            : place.ETag is { } tag && HubFile.IsETag(tag) && tag != file.ETag ? $"the hash {Printable.Name(tag)}"
            : null;
        return wrong is null
            ? place.Address
            : throw new HubException(
                HubProblem.WrongContent,
                $"{repository}: '{file.Path}' should have {file.Bytes} bytes with the hash {file.ETag}, but its "
                    + $"address has {wrong}. A proxy may stand between: try again from another network.",
                address
            );
    }

    // The hub signs the address of the bytes for an hour; a slow download of a large file takes longer.
    private bool IsExpired(HttpResponseMessage response) =>
        response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.Gone
        && !client.IsHub(response.RequestMessage!.RequestUri!);

    /// <summary>Accepts an answer that continues the file or begins it again.</summary>
    private void Admit(HubFile file, PartialFile part, HttpResponseMessage response)
    {
        string expected = $"{file.Bytes} bytes";
        var content = response.Content.Headers;
        switch (response.StatusCode)
        {
            case HttpStatusCode.PartialContent:
                if (
                    content.ContentRange is not { } range
                    || range.From != part.Length
                    || (range.Length ?? file.Bytes) != file.Bytes
                )
                    throw client.Errors.Wrong(file.Path, $"{expected} from byte {part.Length} on", response);
                return;
            case HttpStatusCode.OK:
                bool isPage =
                    content.ContentType?.MediaType == "text/html"
                    && !file.Path.EndsWith(".html", StringComparison.Ordinal);
                if (isPage || (content.ContentLength ?? file.Bytes) != file.Bytes)
                    throw client.Errors.Wrong(file.Path, expected, response);
                if (part.Length > 0)
                    Restart(file, part); // the server sends from the first byte, whatever it was asked for
                return;
            case HttpStatusCode.RequestedRangeNotSatisfiable:
                if (content.ContentRange?.Length is { } length && length != file.Bytes)
                    throw client.Errors.Wrong(file.Path, expected, response);
                Restart(file, part);
                throw client.Errors.Broken(file.Path, response.RequestMessage!.RequestUri!, "it has no such range");
            default:
                throw client.Errors.Of(response, file.Path);
        }
    }

    private void Restart(HubFile file, PartialFile part)
    {
        part.Clear();
        meter.Begin(file, 0);
    }

    private async Task CopyAsync(
        HubFile file,
        PartialFile part,
        HttpResponseMessage response,
        Retries retries,
        CancellationToken cancellation
    )
    {
        byte[] buffer = new byte[Math.Min(BufferBytes, file.Bytes - part.Length + 1)];
        Stream body = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        Uri address = response.RequestMessage!.RequestUri!;
        while (true)
        {
            int read = await client.ReadAsync(body, buffer, (file.Path, address), cancellation).ConfigureAwait(false);
            if (read == 0)
                break;
            if (part.Length + read > file.Bytes)
                throw client.Errors.Wrong(file.Path, $"{file.Bytes} bytes and no more", response);
            part.Append(buffer.AsSpan(0, read));
            retries.Progressed(part.Length);
            meter.Add(file, read);
        }
        if (part.Length < file.Bytes)
            throw client.Errors.Broken(file.Path, address, $"it ended after {part.Length} of {file.Bytes} bytes");
    }
}
