using System.Globalization;

namespace GptOss.Tests.Model;

/// <summary>A control group of Linux whose processes may hold only so much memory.</summary>
internal sealed class MemoryGroup : IDisposable
{
    private readonly string _folder;

    private MemoryGroup(string folder) => _folder = folder;

    /// <summary>What a shell says to enter the group.</summary>
    public string Enter => $"echo $$ > '{_folder}/cgroup.procs'";

    /// <summary>The group; null where this process may make none, which takes the rights of root.</summary>
    public static MemoryGroup? Of(long bytes)
    {
        foreach ((string root, string file) in Versions)
        {
            string folder = Path.Combine(root, $"gptoss-{Guid.NewGuid():N}");
            try
            {
                if (!File.Exists(Path.Combine(root, "cgroup.procs")))
                    continue;
                Directory.CreateDirectory(folder);
                var group = new MemoryGroup(folder);
                if (File.Exists(Path.Combine(folder, file)))
                {
                    File.WriteAllText(Path.Combine(folder, file), bytes.ToString(CultureInfo.InvariantCulture));
                    return group;
                }
                group.Dispose();
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // Not here; a folder that was made without a limit says nothing, and goes with the machine.
            }
        }
        return null;
    }

    private static IEnumerable<(string Root, string File)> Versions =>
        [("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")];

    public void Dispose() => Directory.Delete(_folder);
}
