using GptOss.Checkpoint;

namespace GptOss.Hub;

/// <summary>What a disk has room for, and what its errors mean.</summary>
internal static class Disk
{
    /// <summary>Bytes that are free where a folder lies or will lie; null where the system does not tell.</summary>
    public static long? FreeBytes(string folder)
    {
        try
        {
            string? there = Path.GetFullPath(folder);
            while (there is not null && !Directory.Exists(there))
                there = Path.GetDirectoryName(there);
            return there is null ? null : new DriveInfo(there).AvailableFreeSpace;
        }
        catch (Exception e) when (RegularFile.IsFileTrouble(e))
        {
            return null; // a share of a network without a letter
        }
    }

    /// <summary>Whether links can be made in a folder: tried once, since only trying tells.</summary>
    public static bool CanLink(string folder)
    {
        string probe = Path.Join(folder, $".link-{Guid.NewGuid():N}");
        try
        {
            File.CreateSymbolicLink(probe, "nothing");
            File.Delete(probe);
            return true;
        }
        catch (Exception e) when (RegularFile.IsFileTrouble(e))
        {
            return false;
        }
    }

    /// <summary>Whether an error means that the disk is full, or the share of it that the user may have.</summary>
    public static bool IsFull(Exception e)
    {
        const int NoSpace = 28,
            QuotaOfLinux = 122,
            QuotaOfMac = 69,
            WindowsFull = unchecked((int)0x80070070),
            WindowsHandleFull = unchecked((int)0x80070027);
        return e is IOException
            && (
                OperatingSystem.IsWindows()
                    ? e.HResult is WindowsFull or WindowsHandleFull
                    : e.HResult == NoSpace || e.HResult == (OperatingSystem.IsMacOS() ? QuotaOfMac : QuotaOfLinux)
            );
    }

    /// <summary>Whether an error means that another process has the file open for itself.</summary>
    public static bool IsInUse(IOException e)
    {
        const int WouldBlockOfLinux = 11,
            WouldBlockOfMac = 35,
            WindowsSharing = unchecked((int)0x80070020);
        return e.HResult
            == (
                OperatingSystem.IsWindows() ? WindowsSharing
                : OperatingSystem.IsMacOS() ? WouldBlockOfMac
                : WouldBlockOfLinux
            );
    }
}
