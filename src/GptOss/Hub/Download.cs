using System.Collections.Concurrent;

namespace GptOss.Hub;

/// <summary>
/// A download from beginning to end: which commit, which files, what is missing, fetch it, put it in place.
/// </summary>
internal sealed class Download
{
    // Other programs need a disk that is not quite full.
    private const long Spare = 1L << 30;

    private readonly RepositoryName _repository;
    private readonly HubSettings _settings;
    private readonly HubClient _client;
    private readonly IProgress<DownloadProgress>? _progress;
    private readonly ProgressMeter _meter;
    private bool _isMeasured;

    private Download(
        RepositoryName repository,
        HubSettings settings,
        HubClient client,
        IProgress<DownloadProgress>? progress
    )
    {
        _repository = repository;
        _settings = settings;
        _client = client;
        _progress = progress;
        _meter = new ProgressMeter(progress);
    }

    /// <summary>Makes sure that a model is here; returns the path to load.</summary>
    /// <exception cref="HubException">It could not be fetched; what has arrived is kept.</exception>
    public static async Task<string> RunAsync(
        RepositoryName repository,
        HubSettings settings,
        IProgress<DownloadProgress>? progress,
        CancellationToken cancellation
    )
    {
        if (settings.IsOffline)
            return OfflineModel.Path(repository, settings);
        OpenSsl.Require();
        using var client = new HubClient(settings, repository);
        return await new Download(repository, settings, client, progress).RunAsync(cancellation).ConfigureAwait(false);
    }

    private async Task<string> RunAsync(CancellationToken cancellation)
    {
        var listing = new HubListing(_client, _repository, _settings.Hooks.Delay, Say);
        string commit = await listing.CommitAsync(_settings.Revision, cancellation).ConfigureAwait(false);
        List<HubFile> all = await listing.FilesAsync(commit, cancellation).ConfigureAwait(false);
        var chosen = ChosenFiles.Of(_repository, all, _settings.File);
        string root = _settings.Folder ?? _settings.Cache;
        try
        {
            IDestination destination = Destination(commit);
            root = destination.Root;
            var fetch = new FileFetch(_client, _repository, commit, _settings.Hooks, _meter);
            await destination.LookAsync(chosen.First, cancellation).ConfigureAwait(false);
            await FetchAsync(chosen.First, destination, fetch, cancellation).ConfigureAwait(false);
            IReadOnlyList<HubFile> files = chosen.Complete(_repository, all, file => destination.PathOf(file)!);
            await destination.LookAsync(files, cancellation).ConfigureAwait(false);
            var plan = new DownloadPlan(_repository, _settings.Revision, commit, _settings.File, files);
            HubFile[] missing = [.. files.Where(file => destination.PathOf(file) is null)];
            if (missing.Length > 0)
            {
                destination.Begin(plan);
                RequireSpace(destination, missing);
                _isMeasured = true;
                _meter.Expect(files, file => Have(file, destination));
                try
                {
                    await FetchAsync(missing, destination, fetch, cancellation).ConfigureAwait(false);
                }
                finally
                {
                    _meter.End(missing[^1]);
                }
            }
            destination.Finish(plan);
            return destination.Place(chosen.Load);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotWritten(root, e);
        }
    }

    private IDestination Destination(string commit)
    {
        if (_settings.Folder is { } folder)
        {
            Directory.CreateDirectory(folder);
            return new FolderDestination(folder);
        }
        return new CacheDestination(new HubLayout(_settings.Cache, _repository), commit, place =>
            _settings.MayLink && _settings.Hooks.CanLink(place)
        );
    }

    /// <summary>Fetches several files at once; the first failure ends all.</summary>
    private async Task FetchAsync(
        IReadOnlyList<HubFile> files,
        IDestination destination,
        FileFetch fetch,
        CancellationToken cancellation
    )
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var queue = new ConcurrentQueue<HubFile>(files);
        Task[] workers = [.. Enumerable.Range(0, Math.Min(_settings.Jobs, files.Count)).Select(_ => WorkAsync())];
        await Task.WhenAll(workers).ConfigureAwait(false);

        async Task WorkAsync()
        {
            try
            {
                while (queue.TryDequeue(out HubFile? file))
                    await EnsureAsync(file, destination, fetch, end.Token).ConfigureAwait(false);
            }
            catch
            {
                await end.CancelAsync().ConfigureAwait(false);
                throw;
            }
        }
    }

    private async Task EnsureAsync(
        HubFile file,
        IDestination destination,
        FileFetch fetch,
        CancellationToken cancellation
    )
    {
        if (destination.PathOf(file) is not null)
            return;
        string partial = destination.Partial(file),
            staged = destination.Staged(file);
        Directory.CreateDirectory(Path.GetDirectoryName(partial)!);
        Directory.CreateDirectory(Path.GetDirectoryName(staged)!);
        using IDisposable? held = destination.Lock(file) is { } path
            ? await FileLock
                .TakeAsync(
                    path,
                    _settings.Hooks.Delay,
                    () => _meter.Say(file, "another process fetches this file; waiting for it"),
                    cancellation
                )
                .ConfigureAwait(false)
            : null;
        // While the lock was waited for, the other process may have fetched the file.
        if (destination.PathOf(file) is not null)
        {
            _meter.Begin(file, file.Bytes);
            return;
        }
        // Before all files are known, only small ones are fetched; what they need would say nothing of the whole.
        if (_isMeasured)
            RequireSpace(destination, [file]);
        try
        {
            await fetch.RunAsync(file, partial, staged, cancellation).ConfigureAwait(false);
            destination.Arrived(file);
        }
        catch (IOException e) when (Disk.IsInUse(e))
        {
            throw new HubException(
                HubProblem.Busy,
                $"{_repository}: another process writes '{file.Path}' in {Printable.Path(destination.Root)}.",
                inner: e
            );
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotWritten(partial, e);
        }
    }

    private void RequireSpace(IDestination destination, IReadOnlyList<HubFile> missing)
    {
        long needed = missing.Sum(file => file.Bytes - Have(file, destination));
        if (_settings.Hooks.FreeBytes(destination.Root) is { } free && free < needed + Spare)
            throw new HubException(
                HubProblem.DiskFull,
                $"{_repository}: {Sizes.Text(needed)} are missing, and {Printable.Path(destination.Root)} has "
                    + $"{Sizes.Text(free)} free, of which {Sizes.Text(Spare)} stay so. Make room, or set "
                    + $"{Setting} to a folder on a larger disk."
            );
    }

    private string Setting => _settings.Folder is null ? "HF_HUB_CACHE" : "--to (HubOptions.Folder)";

    private HubException NotWritten(string path, Exception e) =>
        Disk.IsFull(e)
            ? new HubException(
                HubProblem.DiskFull,
                $"{Printable.Path(path)}: the disk is full. What has arrived is kept: make room and run the same "
                    + $"command again, or set {Setting} to a folder on a larger disk.",
                inner: e
            )
            : new HubException(
                HubProblem.NotWritable,
                $"{Printable.Path(path)} cannot be written: {e.Message} Set {Setting} to a folder that takes files.",
                inner: e
            );

    private static long Have(HubFile file, IDestination destination) =>
        destination.PathOf(file) is not null ? file.Bytes
        : new FileInfo(destination.Partial(file)) is { Exists: true } partial ? Math.Min(partial.Length, file.Bytes)
        : 0;

    private void Say(string? waiting)
    {
        if (waiting is not null)
            _progress?.Report(new DownloadProgress(_repository.ToString(), 0, 0, 0, waiting));
    }
}
