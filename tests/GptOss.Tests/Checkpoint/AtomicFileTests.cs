using System.Runtime.Versioning;
using GptOss.Checkpoint;

namespace GptOss.Tests.Checkpoint;

/// <summary>What lies beside a file that is written, and who may read it.</summary>
[Promise(20)]
public sealed class AtomicFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Target => Path.Combine(_folder.Path, "prefix");

    public void Dispose() => _folder.Dispose();

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task A_new_file_is_its_owners_alone_and_one_that_replaces_another_has_the_rights_of_that_one()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Files of Windows have no mode.");
        UnixFileMode whileWritten = await WriteAsync();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, whileWritten);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Target));

        const UnixFileMode Shared = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
        File.SetUnixFileMode(Target, Shared);
        whileWritten = await WriteAsync();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, whileWritten);
        Assert.Equal(Shared, File.GetUnixFileMode(Target));

        async Task<UnixFileMode> WriteAsync()
        {
            UnixFileMode mode = default;
            await AtomicFile.WriteAsync(Target, async stream =>
            {
                await stream.WriteAsync(new byte[10], TestContext.Current.CancellationToken);
                mode = File.GetUnixFileMode(Directory.GetFiles(_folder.Path, "*.tmp-*").Single());
            });
            return mode;
        }
    }

    /// <summary>Also at the last write, behind which the file is whole and not yet in its place.</summary>
    [Fact]
    public async Task A_write_that_fails_at_any_call_leaves_the_old_file_and_nothing_beside_it()
    {
        const int Writes = 20;
        await File.WriteAllTextAsync(Target, "old", TestContext.Current.CancellationToken);
        for (int n = 1; n <= Writes; n++)
        {
            var full = new IOException("No space left on device");
            var thrown = await Assert.ThrowsAsync<IOException>(() => WriteAsync(failsAt: n));
            Assert.Equal(full.Message, thrown.Message);
            Assert.Equal([Target], Directory.GetFiles(_folder.Path));
            Assert.Equal("old", await File.ReadAllTextAsync(Target, TestContext.Current.CancellationToken));

            async Task WriteAsync(int failsAt) => await AtomicFile.WriteAsync(Target, async stream =>
                {
                    for (int i = 1; i <= Writes; i++)
                    {
                        await stream.WriteAsync(new byte[100], TestContext.Current.CancellationToken);
                        if (i == failsAt)
                            throw full;
                    }
                });
        }
        Figure.Tell($"{Writes} faults of a write: 0 torn files, 0 files left beside them");
    }

    [Fact]
    public async Task What_an_ended_process_left_is_deleted_and_what_only_looks_like_it_stays()
    {
        string left = Target + ".tmp-" + Path.GetRandomFileName(),
            own = Target + ".tmp-backup";
        foreach (string path in (string[])[left, own])
            await File.WriteAllTextAsync(path, "old", TestContext.Current.CancellationToken);
        await AtomicFile.WriteAsync(Target, async stream =>
            await stream.WriteAsync(new byte[10], TestContext.Current.CancellationToken)
        );
        Assert.Equal([Target, own], Directory.GetFiles(_folder.Path).Order());
    }
}
