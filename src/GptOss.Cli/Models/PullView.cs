using System.Diagnostics;
using System.Globalization;
using GptOss.Cli.Shell;
using GptOss.Hub;
using Spectre.Console;

namespace GptOss.Cli.Models;

/// <summary>
/// Shows a download: a bar where standard error is a terminal, elsewhere a plain line a second.
/// </summary>
internal sealed class PullView : IProgress<DownloadProgress>
{
    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private DownloadProgress _last;
    private ProgressTask? _bar;
    private long _lastLine;
    private string? _lastWaiting;

    /// <summary>Whether anything was missing.</summary>
    public bool HasFetched => _last.Total > 0;

    /// <summary>What an interrupted download has, as a sentence.</summary>
    public string Kept =>
        _last.Total > 0 ? $"{Sizes.Part(_last.Done, _last.Total)} are kept." : "Nothing has arrived yet.";

    /// <summary>Runs a download and shows it.</summary>
    public Task<string> ShowAsync(Func<IProgress<DownloadProgress>, Task<string>> download)
    {
        if (Console.IsErrorRedirected)
            return download(this);
        IAnsiConsole terminal = AnsiConsole.Create(
            new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) }
        );
        return terminal
            .Progress()
            .AutoClear(true)
            .Columns(
                new ProgressBarColumn(),
                new PercentageColumn(),
                new TaskDescriptionColumn { Alignment = Justify.Left }
            )
            .StartAsync(context =>
            {
                _bar = context.AddTask("asking for the files", maxValue: 1);
                return download(this);
            });
    }

    public void Report(DownloadProgress value)
    {
        lock (_lock)
        {
            if (value.Total > 0)
                _last = value;
            if (_bar is { } bar)
            {
                bar.Description = Markup.Escape(Text(value));
                bar.Value = _last.Total > 0 ? (double)_last.Done / _last.Total : 0;
            }
            else if (IsDue(value))
                Failure.WriteLine(Text(value));
        }
    }

    /// <summary>How far it is, how fast and how long yet: "4.7 of 13.8 GB, 35.2 MB/s, 4 min left".</summary>
    public static string Text(DownloadProgress value)
    {
        string part = value.Total > 0 ? Sizes.Part(value.Done, value.Total) : "";
        if (value.Waiting is { } waiting)
            return part.Length > 0 ? $"{part}, {waiting}" : waiting;
        return value.Left is { } left ? $"{part}, {Sizes.Text((long)value.BytesPerSecond)}/s, {Time(left)} left" : part;
    }

    // A new reason to wait is told at once, everything else once a second.
    private bool IsDue(DownloadProgress value)
    {
        bool isNews = value.Waiting is not null && value.Waiting != _lastWaiting;
        _lastWaiting = value.Waiting;
        if (!isNews && _lastLine != 0 && Stopwatch.GetElapsedTime(_lastLine) < BetweenLines)
            return false;
        _lastLine = Stopwatch.GetTimestamp();
        return true;
    }

    private static string Time(TimeSpan left) =>
        left.TotalSeconds < 90 ? string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(left.TotalSeconds):0} s")
        : left.TotalMinutes < 90 ? string.Create(CultureInfo.InvariantCulture, $"{left.TotalMinutes:0} min")
        : string.Create(CultureInfo.InvariantCulture, $"{left.TotalHours:0.0} h");
}
