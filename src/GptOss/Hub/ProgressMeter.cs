using System.Diagnostics;

namespace GptOss.Hub;

/// <summary>Adds up what the files of a download have, and reports that with the speed of the last seconds.</summary>
/// <param name="progress">Whoever wants to know; null for nobody.</param>
internal sealed class ProgressMeter(IProgress<DownloadProgress>? progress)
{
    // Over a shorter time the speed would be that of a buffer.
    private const double LeastSeconds = 0.5;

    private static readonly TimeSpan BetweenReports = TimeSpan.FromMilliseconds(100),
        Window = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _done = [];
    private readonly Queue<(long Time, long Arrived)> _samples = new();
    private long _total;
    private long _arrived;
    private long _reported;

    /// <summary>Says which files are needed, and how much of each is here; from now on reports are made.</summary>
    public void Expect(IReadOnlyList<HubFile> files, Func<HubFile, long> here)
    {
        lock (_lock)
        {
            _total = files.Sum(file => file.Bytes);
            foreach (HubFile file in files)
                _done[file.Path] = here(file);
            Report(files[0], waiting: null, isUrgent: true);
        }
    }

    /// <summary>Says how much of a file is here before anything of it arrives.</summary>
    public void Begin(HubFile file, long bytes)
    {
        lock (_lock)
            _done[file.Path] = bytes;
    }

    /// <summary>Bytes of a file have arrived.</summary>
    public void Add(HubFile file, int bytes)
    {
        lock (_lock)
        {
            _done[file.Path] = _done.GetValueOrDefault(file.Path) + bytes;
            _arrived += bytes;
            Report(file, waiting: null, isUrgent: false);
        }
    }

    /// <summary>Says why nothing of a file arrives; null where it goes on, and the next bytes tell.</summary>
    public void Say(HubFile file, string? waiting)
    {
        if (waiting is null)
            return;
        lock (_lock)
            Report(file, waiting, isUrgent: true);
    }

    /// <summary>Reports the last bytes, however soon after others they came.</summary>
    public void End(HubFile file)
    {
        lock (_lock)
            Report(file, waiting: null, isUrgent: true);
    }

    private void Report(HubFile file, string? waiting, bool isUrgent)
    {
        long now = Stopwatch.GetTimestamp();
        if (progress is null || _total == 0 && waiting is null)
            return;
        if (!isUrgent && Stopwatch.GetElapsedTime(_reported, now) < BetweenReports)
            return;
        _reported = now;
        _samples.Enqueue((now, _arrived));
        while (_samples.Count > 2 && Stopwatch.GetElapsedTime(_samples.Peek().Time, now) > Window)
            _samples.Dequeue();
        (long began, long before) = _samples.Peek();
        double seconds = Stopwatch.GetElapsedTime(began, now).TotalSeconds;
        double speed = seconds >= LeastSeconds ? (_arrived - before) / seconds : 0;
        progress.Report(new DownloadProgress(file.Path, _done.Values.Sum(), _total, speed, waiting));
    }
}
