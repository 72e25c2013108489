using System.Diagnostics.Metrics;

namespace GptOss.AspNetCore.Tests.Load;

/// <summary>What load tests count.</summary>
internal static class Figures
{
    /// <summary>The value that this share of all values does not exceed; 0 where there are none.</summary>
    public static double Percentile(IEnumerable<double> values, double share)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? 0 : sorted[(int)Math.Ceiling(share * (sorted.Length - 1))];
    }

    /// <summary>The bytes of objects that are in use, in all of the process.</summary>
    public static long Heap()
    {
        for (int i = 0; i < 3; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }
        return GC.GetTotalMemory(forceFullCollection: true);
    }

    /// <summary>
    /// The open files and connections of the process, without the assemblies, which the runtime opens when it needs
    /// them; 0 where the system does not tell.
    /// </summary>
    public static int Handles() =>
        Directory.Exists("/proc/self/fd")
            ? Directory
                .GetFileSystemEntries("/proc/self/fd")
                .Count(entry => new FileInfo(entry).LinkTarget?.EndsWith(".dll", StringComparison.Ordinal) != true)
            : 0;

    /// <summary>The pages of keys and values that requests use now, of all models of the process.</summary>
    public static long UsedPages()
    {
        long used = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Name == "gptoss.kv.pages")
                    self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>(
            (_, value, tags, _) =>
            {
                foreach (KeyValuePair<string, object?> tag in tags)
                    if (tag.Value is "used")
                        used += value;
            }
        );
        listener.Start();
        listener.RecordObservableInstruments();
        return used;
    }
}
