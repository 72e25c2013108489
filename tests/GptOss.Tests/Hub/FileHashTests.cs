using System.Diagnostics;
using GptOss.Hub;

namespace GptOss.Tests.Hub;

/// <summary>The hashes by which the hub names content.</summary>
public sealed class FileHashTests : IDisposable
{
    private const string EmptySha1 = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", // Git's name of an empty blob
        EmptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    private readonly string _folder = Directory.CreateTempSubdirectory("gptoss-hash").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(EmptySha1)]
    [InlineData(EmptySha256)]
    public async Task A_fifo_in_the_place_of_an_empty_file_is_never_opened(string hash)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no FIFOs in the file system.");
        string path = Path.Join(_folder, "fifo");
        using Process maker = Process.Start("mkfifo", [path]);
        await maker.WaitForExitAsync(Stop);
        // On a thread of its own, since opening the FIFO would wait for ever.
        Task<string> hashed = Task
            .Factory.StartNew(
                () => FileHash.OfFileAsync(path, new HubFile("empty", 0, hash), Stop),
                TaskCreationOptions.LongRunning
            )
            .Unwrap();
        Assert.Equal(hash, await hashed.WaitAsync(TimeSpan.FromSeconds(10), Stop));
    }

    [Theory]
    [InlineData("", EmptySha1)]
    [InlineData("", EmptySha256)]
    [InlineData("hello\n", "ce013625030ba8dba906f756967f9e9ca394464a")]
    public async Task A_file_has_the_hash_that_git_gives_it(string content, string hash)
    {
        string path = Path.Join(_folder, "file");
        await File.WriteAllTextAsync(path, content, Stop);
        Assert.Equal(hash, await FileHash.OfFileAsync(path, new HubFile("file", content.Length, hash), Stop));
    }
}
