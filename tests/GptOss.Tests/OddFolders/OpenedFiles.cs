using System.Runtime.InteropServices;

namespace GptOss.Tests.OddFolders;

/// <summary>Counts how often a file of one folder is opened or a link of it followed, by any process.</summary>
/// <remarks>Linux only: inotify. Elsewhere nothing is counted.</remarks>
internal sealed unsafe partial class OpenedFiles : IDisposable
{
    private const int NonBlocking = 0x800,
        HeadBytes = 16;

    private const uint Open = 0x20,
        Access = 0x1,
        OfFolder = 0x4000_0000;

    private readonly int _events = -1;

    public OpenedFiles(string folder)
    {
        if (!OperatingSystem.IsLinux())
            return;
        _events = Init(NonBlocking);
        Assert.True(_events >= 0 && AddWatch(_events, folder, Open | Access) >= 0, $"inotify does not watch {folder}");
    }

    /// <summary>The number of openings and readings since the last call.</summary>
    public int Count()
    {
        Span<byte> buffer = stackalloc byte[4096];
        int count = 0;
        while (_events >= 0)
        {
            int read;
            fixed (byte* start = buffer)
                read = (int)Read(_events, start, (nuint)buffer.Length);
            if (read <= 0)
                break;
            for (int at = 0; at < read; at += HeadBytes + BitConverter.ToInt32(buffer[(at + 12)..]))
                if ((BitConverter.ToUInt32(buffer[(at + 4)..]) & OfFolder) == 0)
                    count++;
        }
        return count;
    }

    public void Dispose()
    {
        if (_events >= 0)
            _ = Close(_events);
    }

    [LibraryImport("libc", EntryPoint = "inotify_init1")]
    private static partial int Init(int flags);

    [LibraryImport("libc", EntryPoint = "inotify_add_watch", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AddWatch(int events, string path, uint mask);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint Read(int file, byte* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);
}
