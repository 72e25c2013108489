using System.Diagnostics;
using GptOss.Checkpoint;
using Microsoft.Win32.SafeHandles;

namespace GptOss.Tests.Checkpoint;

[Promise(7)]
public sealed class RegularFileTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void A_link_to_a_file_is_followed_and_its_target_measured()
    {
        File.WriteAllBytes(At("a-blob"), new byte[5000]);
        File.CreateSymbolicLink(At("link"), "a-blob");

        using SafeFileHandle handle = RegularFile.Open(At("link"), minimumBytes: 4000); // the link itself has 6 bytes

        Assert.Equal(5000, RandomAccess.GetLength(handle));
    }

    [Fact]
    public void A_relative_link_behind_a_linked_folder_is_followed_from_where_the_folder_is()
    {
        // The Hugging Face cache, and a person's link to one of its snapshots from elsewhere.
        Directory.CreateDirectory(At("cache/blobs"));
        Directory.CreateDirectory(At("cache/snapshots/1"));
        Directory.CreateDirectory(At("home/models"));
        File.WriteAllText(At("cache/blobs/0123"), "{1}");
        File.CreateSymbolicLink(At("cache/snapshots/1/model"), "../../blobs/0123");
        Directory.CreateSymbolicLink(At("home/models/mine"), At("cache/snapshots/1"));
        Directory.CreateDirectory(At("blobs"));
        File.WriteAllText(At("blobs/0123"), "{2}"); // where ../../blobs leads from home/models/mine by name alone

        Assert.Equal("{1}"u8.ToArray(), RegularFile.ReadAll(At("home/models/mine/model"), maximumBytes: 100));
    }

    [Fact]
    public void Links_in_a_circle_are_refused()
    {
        File.CreateSymbolicLink(At("one"), "two");
        File.CreateSymbolicLink(At("two"), "one");

        Assert.Contains("circle", Refusal(At("one")));
    }

    [Fact]
    public void A_link_to_nothing_is_refused_and_named()
    {
        File.CreateSymbolicLink(At("link"), "missing");

        Assert.Contains("missing', which does not exist", Refusal(At("link")));
    }

    [Fact]
    public void A_missing_file_is_refused() => Assert.Contains("does not exist", Refusal(At("none")));

    [Fact]
    public void A_folder_is_refused()
    {
        Directory.CreateDirectory(At("folder"));

        Assert.Contains("is a folder", Refusal(At("folder")));
    }

    [Fact]
    public void A_name_no_system_allows_is_refused() => Assert.NotNull(Refusal(At("a\0b")));

    [Fact]
    public async Task A_fifo_is_refused_without_waiting_for_a_writer()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no FIFOs in the file system.");
        using Process maker = Process.Start("mkfifo", [At("fifo")]);
        await maker.WaitForExitAsync(TestContext.Current.CancellationToken);
        File.CreateSymbolicLink(At("link"), "fifo");

        foreach (string name in new[] { "fifo", "link" })
        {
            Assert.Contains("not a regular file", await InTime(() => Refusal(At(name))));
        }
    }

    [Theory]
    [InlineData("/dev/zero")] // never ends
    [InlineData("/dev/random")]
    [InlineData("/dev/null")]
    [InlineData("/proc/self/maps")] // claims to be empty
    public async Task A_device_is_refused_also_through_a_link(string device)
    {
        Assert.SkipUnless(File.Exists(device), "No such device here.");
        File.CreateSymbolicLink(At("link"), device);

        foreach (string path in new[] { device, At("link") })
        {
            Assert.Contains("not a regular file", await InTime(() => Refusal(path)));
        }
    }

    [Fact]
    public void A_small_file_may_not_be_longer_than_its_limit()
    {
        File.WriteAllBytes(At("file"), new byte[11]);

        Assert.Equal(11, RegularFile.ReadAll(At("file"), maximumBytes: 11).Length);
        Assert.Throws<CheckpointException>(() => RegularFile.ReadAll(At("file"), maximumBytes: 10));
    }

    [Fact]
    public void A_long_path_leaves_room_for_the_reason()
    {
        string path = At(string.Join('/', Enumerable.Repeat(new string('d', 100), 20)) + "/model.safetensors");

        string refusal = Refusal(path);

        Assert.Contains("/model.safetensors: does not exist", refusal);
    }

    public void Dispose() => _folder.Dispose();

    private string At(string name) => Path.Join(_folder.Path, name);

    /// <summary>Opening what must not be opened would wait for ever.</summary>
    private static Task<string> InTime(Func<string> work) =>
        Task.Run(work).WaitAsync(Patience, TestContext.Current.CancellationToken);

    private static string Refusal(string path)
    {
        var e = Assert.Throws<CheckpointException>(() => RegularFile.Open(path, minimumBytes: 8).Dispose());
        string message = e.Message;
        Assert.InRange(message.Length, 1, 5000); // a path is never cut
        Assert.DoesNotContain(message, char.IsControl);
        return message;
    }
}
