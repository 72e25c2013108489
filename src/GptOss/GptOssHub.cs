using GptOss.Hub;

namespace GptOss;

/// <summary>Downloads models from Hugging Face's hub into the cache that its own tools use.</summary>
/// <remarks>
/// Only the files that this engine needs are fetched, each is verified by its hash, and a download that was ended goes
/// on where it was. Any number of processes may ask for the same model at once.
/// </remarks>
public static class GptOssHub
{
    /// <summary>Makes sure that a model is here, and fetches what is missing.</summary>
    /// <param name="name">gpt-oss-20b, gpt-oss-120b, or the OWNER/NAME of a repository.</param>
    /// <param name="options">Revision, file, place and token; null for what the environment says.</param>
    /// <param name="progress">Told how far the download has come, several times a second, on threads of the
    /// pool.</param>
    /// <param name="cancellationToken">Ends the download; what has arrived is kept for the next one.</param>
    /// <returns>The path that <see cref="GptOssModel.LoadAsync"/> takes: a folder, or a GGUF file; of an adapter its
    /// folder.</returns>
    /// <exception cref="ArgumentException">The name is none of a repository.</exception>
    /// <exception cref="HubException">The download did not come to its end; the message says what to do.</exception>
    /// <exception cref="CheckpointException">The repository's config.json or index is damaged.</exception>
    public static Task<string> DownloadAsync(
        string name,
        HubOptions? options = null,
        IProgress<DownloadProgress>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (!RepositoryName.TryParse(name, out RepositoryName repository))
            throw new ArgumentException(
                $"'{Printable.Name(name)}' is no name of a repository: {RepositoryName.FormFor(name)}",
                nameof(name)
            );
        var settings = HubSettings.Of(options ?? HubOptions.Default, Surroundings.OfProcess(), HubHooks.None);
        return Download.RunAsync(repository, settings, progress, cancellationToken);
    }
}
