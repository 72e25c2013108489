using System.Diagnostics;
using System.Runtime.InteropServices;

namespace GptOss.Tests;

/// <summary>
/// The processor time of the thread that asks, where the system tells it, so that a bound on work holds on a machine
/// that is busy with other tests; elsewhere the time on the wall.
/// </summary>
internal static partial class ThreadClock
{
    private const int ThreadCpuTime = 3; // CLOCK_THREAD_CPUTIME_ID of Linux

    public static TimeSpan Now =>
        OperatingSystem.IsLinux() && GetTime(ThreadCpuTime, out Time time) == 0
            ? TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1e3)
            : Stopwatch.GetElapsedTime(0);

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out Time time);

    [StructLayout(LayoutKind.Sequential)]
    private struct Time
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
