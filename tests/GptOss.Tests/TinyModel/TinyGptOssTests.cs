using System.Runtime.Versioning;
using Microsoft.Extensions.AI;

namespace GptOss.Tests.TinyModel;

public sealed class TinyGptOssTests
{
    private static readonly string Source = Path.Combine(Repository.Root, "src", "GptOss.TinyModel", "model");

    [Fact]
    public void The_folder_holds_every_file_of_the_model_under_the_models_name()
    {
        Assert.Equal("gpt-oss-tiny", Path.GetFileName(TinyGptOss.Folder));
        AssertWhole(TinyGptOss.Folder);
    }

    [Theory]
    [InlineData("config.json")] // cut, as by a full disk
    [InlineData("model.safetensors")]
    public void A_damaged_file_is_written_anew(string name)
    {
        using var root = new TemporaryFolder();
        string folder = TinyGptOss.PlaceBelow([new OwnPlace(root.Path)]);
        byte[] damaged = File.ReadAllBytes(Path.Combine(folder, name));
        damaged[^1] ^= 1;
        File.WriteAllBytes(Path.Combine(folder, name), damaged);

        Assert.Equal(folder, TinyGptOss.PlaceBelow([new OwnPlace(root.Path)]));
        AssertWhole(folder);
    }

    [Fact]
    public void A_whole_file_is_left_alone()
    {
        using var root = new TemporaryFolder();
        string file = Path.Combine(TinyGptOss.PlaceBelow([new OwnPlace(root.Path)]), "config.json");
        var before = new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(file, before);

        TinyGptOss.PlaceBelow([new OwnPlace(root.Path)]);

        Assert.Equal(before, File.GetLastWriteTimeUtc(file));
    }

    [Fact]
    public void Many_at_once_leave_one_whole_model_and_nothing_else()
    {
        using var root = new TemporaryFolder();
        string[] folders = new string[8];

        Parallel.For(0, folders.Length, i => folders[i] = TinyGptOss.PlaceBelow([new OwnPlace(root.Path)]));

        AssertWhole(Assert.Single(folders.Distinct()));
    }

    [Fact]
    public void Where_the_first_place_takes_nothing_the_second_is_used()
    {
        using var root = new TemporaryFolder();
        string blocked = Path.Combine(root.Path, "file");
        File.WriteAllText(blocked, "no folder can be made below a file");

        string folder = TinyGptOss.PlaceBelow([new OwnPlace(blocked), new OwnPlace(Path.Combine(root.Path, "second"))]);

        Assert.StartsWith(Path.Combine(root.Path, "second"), folder);
        var refusal = Assert.Throws<IOException>(() => TinyGptOss.PlaceBelow([new OwnPlace(blocked)]));
        Assert.Contains(blocked, refusal.Message);
    }

    [Fact]
    public void Files_that_were_cleaned_away_are_missed()
    {
        using var root = new TemporaryFolder();
        string folder = TinyGptOss.PlaceBelow([new OwnPlace(root.Path)]);
        Assert.True(TinyGptOss.IsThere(folder));

        File.Delete(Path.Combine(folder, "tokenizer.json"));
        Assert.False(TinyGptOss.IsThere(folder));
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public void A_place_that_all_users_share_holds_a_folder_that_only_its_own_may_enter()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The folder for temporary files is the user's own there.");
        using var shared = new TemporaryFolder();
        string folder = TinyGptOss.PlaceBelow([new SharedPlace(shared.Path)]);
        AssertWhole(folder);
        string ours = Assert.Single(Directory.EnumerateFileSystemEntries(shared.Path));
        Assert.Matches(@"^GptOss-\d+$", Path.GetFileName(ours)); // by number: nameless users do not share one
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode(ours)
        );

        // Whoever came first could have left the way open for others, or a link to a folder of ours.
        File.SetUnixFileMode(ours, File.GetUnixFileMode(ours) | UnixFileMode.OtherWrite | UnixFileMode.GroupWrite);
        Assert.Equal(folder, TinyGptOss.PlaceBelow([new SharedPlace(shared.Path)]));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode(ours)
        );
        using var elsewhere = new TemporaryFolder();
        Directory.Delete(ours, recursive: true);
        Directory.CreateSymbolicLink(ours, elsewhere.Path);
        var refusal = Assert.Throws<IOException>(() => TinyGptOss.PlaceBelow([new SharedPlace(shared.Path)]));
        Assert.Contains($"'{ours}' was made by another user, or is a link", refusal.Message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(elsewhere.Path));
    }

    [Fact]
    public void A_folder_that_another_user_made_is_not_used()
    {
        Assert.SkipWhen(
            OperatingSystem.IsWindows() || Environment.UserName != "root",
            "Only root can make another user's folder."
        );
        using var shared = new TemporaryFolder();
        TinyGptOss.PlaceBelow([new SharedPlace(shared.Path)]);
        string ours = Assert.Single(Directory.EnumerateFileSystemEntries(shared.Path));
        using (var chown = System.Diagnostics.Process.Start("chown", ["12345", ours]))
            chown.WaitForExit();

        Assert.Throws<IOException>(() => TinyGptOss.PlaceBelow([new SharedPlace(shared.Path)]));
    }

    [Fact]
    public async Task Where_nothing_can_be_written_the_model_answers_from_memory()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems have no memory that opens as a file.");
        using var root = new TemporaryFolder();
        string blocked = Path.Combine(root.Path, "file");
        File.WriteAllText(blocked, "no folder can be made below a file");
        string folder = TinyGptOss.PlaceBelow([new OwnPlace(blocked), new MemoryPlace()]);
        Assert.False(Directory.Exists(folder));
        Assert.True(TinyGptOss.IsThere(folder));

        using GptOssChatClient client = await GptOssChatClient.LoadAsync(
            folder,
            cancellationToken: TestContext.Current.CancellationToken
        );
        ChatResponse answer = await client.GetResponseAsync(
            "What is 345 + 678?",
            new ChatOptions { Temperature = 0 },
            TestContext.Current.CancellationToken
        );
        Assert.Equal("345 + 678 = 1023.", answer.Text);
    }

    [Theory]
    [InlineData(null, 4096)]
    [InlineData(131_072, 131_072)] // what its config.json keeps
    public async Task The_context_is_what_the_folder_proposes_unless_somebody_asks_for_another(int? asked, int expected)
    {
        using GptOssModel model = await GptOssModel.LoadAsync(
            TinyGptOss.Folder,
            new ModelOptions { ContextLength = asked },
            cancellationToken: TestContext.Current.CancellationToken
        );
        Assert.Equal(expected, model.ContextLength);
    }

    private static void AssertWhole(string folder)
    {
        string[] names = [.. Directory.EnumerateFiles(Source).Select(file => Path.GetFileName(file)!).Order()];
        Assert.Equal(
            names,
            Directory.EnumerateFileSystemEntries(folder).Select(entry => Path.GetFileName(entry)!).Order()
        );
        Assert.All(names, name =>
            Assert.Equal(File.ReadAllBytes(Path.Combine(Source, name)), File.ReadAllBytes(Path.Combine(folder, name)))
        );
    }
}
