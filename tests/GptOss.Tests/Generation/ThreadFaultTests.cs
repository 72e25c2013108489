using System.Diagnostics.Metrics;
using GptOss.Generation;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;
using GptOss.Threading;

namespace GptOss.Tests.Generation;

/// <summary>What becomes of a model for which the system starts no thread.</summary>
[Promise(19)]
public sealed class ThreadFaultTests
{
    // Two teams of 25, the one that packs and the one that computes, of which the caller is one; and the loop's thread.
    private const int Threads = 25,
        Starts = 2 * (Threads - 1) + 1;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_nth_thread_that_does_not_start_ends_the_loading_and_leaves_nothing_behind()
    {
        using var random = LoadedModel.Random(new TinyShape(), seed: 1);
        var options = new ModelOptions { Threads = Threads, Precision = Precision.Fast };
        string folder = Path.Combine(random.Folder, "copy");
        Directory.CreateDirectory(folder);
        foreach (string file in Directory.GetFiles(random.Folder))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        for (int n = 1; n <= Starts; n++)
        {
            using var meters = new OwnMeters();
            var starts = new FailingStart(failsAt: n);
            TeamThread.Starting.Value = starts.Next;
            var error = await Assert.ThrowsAsync<InsufficientMemoryException>(() =>
                GptOssModel.LoadAsync(folder, options, null, Stop)
            );
            TeamThread.Starting.Value = null;

            Assert.Contains("ModelOptions.Threads", error.Message, StringComparison.Ordinal);
            Assert.Equal(n, starts.Threads.Count);
            Assert.All(starts.Threads, thread => Assert.False(thread.IsAlive, $"n = {n}: {thread.Name} runs"));
            Assert.Equal(0, meters.Open);
            if (OperatingSystem.IsLinux())
                Assert.DoesNotContain(File.ReadLines("/proc/self/maps"), line => line.Contains(folder));
        }
    }

    [Fact]
    public async Task A_loaded_model_starts_no_more_threads()
    {
        using var random = LoadedModel.Random(new TinyShape(), seed: 1);
        var starts = new FailingStart(failsAt: Starts + 1);
        TeamThread.Starting.Value = starts.Next;
        var options = new ModelOptions { Threads = Threads, Precision = Precision.Fast };
        using GptOssModel model = await GptOssModel.LoadAsync(random.Folder, options, null, Stop);
        Assert.Equal(Starts, starts.Threads.Count);
        using ITokenStream stream = model.Source.Submit(new GenerationRequest { Prompt = [1], MaxTokens = 3 }, Stop);
        Assert.Equal(3, (await Answer.Of(stream, Stop)).Ids.Length);
        Assert.Equal(Starts, starts.Threads.Count);
    }

    /// <summary>The threads that are started, of which one fails.</summary>
    private sealed class FailingStart(int failsAt)
    {
        public List<Thread> Threads { get; } = [];

        public void Next(Thread thread)
        {
            Threads.Add(thread);
            if (Threads.Count == failsAt)
                throw new InsufficientMemoryException("no thread is left");
        }
    }

    /// <summary>Counts the instruments that this test's own loading has made, and that are not disposed.</summary>
    private sealed class OwnMeters : IDisposable
    {
        private readonly MeterListener _listener = new();
        private int _open;

        public OwnMeters()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name != Instruments.Name || TeamThread.Starting.Value is null)
                    return; // that of another test
                Interlocked.Increment(ref _open);
                listener.EnableMeasurementEvents(instrument);
            };
            _listener.MeasurementsCompleted = (_, _) => Interlocked.Decrement(ref _open);
            _listener.Start();
        }

        public int Open => Volatile.Read(ref _open);

        public void Dispose() => _listener.Dispose();
    }
}
