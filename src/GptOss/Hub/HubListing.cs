using System.Text.Json;

namespace GptOss.Hub;

/// <summary>What the hub says of a repository: the commit of a revision, and the files of a commit.</summary>
/// <param name="client">Makes the requests to the hub.</param>
/// <param name="repository">Which repository is asked for.</param>
/// <param name="delay">Waits between two attempts.</param>
/// <param name="says">Told why nothing happens; null where it goes on.</param>
internal sealed class HubListing(
    HubClient client,
    RepositoryName repository,
    Func<TimeSpan, CancellationToken, Task> delay,
    Action<string?> says
)
{
    // Far more than any model has, and little enough to be kept.
    private const int MostPages = 1000,
        MostFiles = 100_000,
        LongestPath = 4096;

    /// <summary>The commit that a branch, a tag or a commit is now.</summary>
    public async Task<string> CommitAsync(string revision, CancellationToken cancellation)
    {
        // A revision may have slashes, as refs/pr/1, which are escaped here: they are no parts of this path.
        Uri address = new(
            client.Address("api", "models", repository.Owner, repository.Name, "revision")
                + "/"
                + Uri.EscapeDataString(revision)
        );
        (JsonDocument json, _) = await AskAsync(address, $"revision '{revision}'", cancellation).ConfigureAwait(false);
        using (json)
            return Text(json.RootElement, "sha") is { } sha && HubFile.IsCommit(sha)
                ? sha
                : throw client.Errors.Listing($"names no commit for the revision '{revision}'.");
    }

    /// <summary>All files of a commit.</summary>
    public async Task<List<HubFile>> FilesAsync(string commit, CancellationToken cancellation)
    {
        Dictionary<string, HubFile> files = new(StringComparer.Ordinal);
        Uri? page = new(
            client.Address("api", "models", repository.Owner, repository.Name, "tree", commit)
                + "?recursive=true&expand=false"
        );
        for (int count = 0; page is not null; count++)
        {
            if (count == MostPages)
                throw client.Errors.Listing($"has more than {MostPages} pages.");
            (JsonDocument json, page) = await AskAsync(page, "the list of files", cancellation).ConfigureAwait(false);
            using (json)
            {
                if (json.RootElement.ValueKind != JsonValueKind.Array)
                    throw client.Errors.Listing("should be an array.");
                foreach (HubFile file in json.RootElement.EnumerateArray().Select(Read).OfType<HubFile>())
                    if (!files.TryAdd(file.Path, file))
                        throw client.Errors.Listing($"has '{Printable.Name(file.Path)}' twice.");
            }
            if (files.Count > MostFiles)
                throw client.Errors.Listing($"has more than {MostFiles} files.");
        }
        return [.. files.Values];
    }

    private Task<(JsonDocument Json, Uri? Next)> AskAsync(Uri address, string what, CancellationToken cancellation) =>
        new Retries(delay, says).RunAsync(() => client.JsonAsync(address, what, cancellation), cancellation);

    private HubFile? Read(JsonElement entry)
    {
        if (Text(entry, "type") != "file" || Text(entry, "path") is not { } path)
            return null;
        if (path.Length > LongestPath)
            throw client.Errors.Listing($"has a path of {path.Length} characters.");
        bool isLarge = entry.TryGetProperty("lfs", out JsonElement lfs) && lfs.ValueKind == JsonValueKind.Object;
        JsonElement source = isLarge ? lfs : entry;
        return
            Text(source, "oid") is { } hash
            && HubFile.IsETag(hash)
            && source.TryGetProperty("size", out JsonElement size)
            && size.ValueKind == JsonValueKind.Number
            && size.TryGetInt64(out long bytes)
            && bytes >= 0
            ? new HubFile(path, bytes, hash)
            : throw client.Errors.Listing($"has no length and hash for '{Printable.Name(path)}'.");
    }

    private string? Text(JsonElement json, string name)
    {
        try
        {
            return
                json.ValueKind == JsonValueKind.Object
                && json.TryGetProperty(name, out JsonElement value)
                && value.ValueKind == JsonValueKind.String
                ? value.GetString()
                : null;
        }
        catch (InvalidOperationException) // half of a surrogate pair, or bytes that are no UTF-8
        {
            throw client.Errors.Listing("holds text that is not Unicode.");
        }
    }
}
