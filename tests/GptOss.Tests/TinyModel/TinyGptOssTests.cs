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
    [InlineData("config.json")]         // cut, as by a full disk
    [InlineData("model.safetensors")]
    public void A_damaged_file_is_written_anew(string name)
    {
        using var root = new TemporaryFolder();
        string folder = TinyGptOss.PlaceBelow([root.Path]);
        byte[] damaged = File.ReadAllBytes(Path.Combine(folder, name));
        damaged[^1] ^= 1;
        File.WriteAllBytes(Path.Combine(folder, name), damaged);

        Assert.Equal(folder, TinyGptOss.PlaceBelow([root.Path]));
        AssertWhole(folder);
    }

    [Fact]
    public void A_whole_file_is_left_alone()
    {
        using var root = new TemporaryFolder();
        string file = Path.Combine(TinyGptOss.PlaceBelow([root.Path]), "config.json");
        var before = new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(file, before);

        TinyGptOss.PlaceBelow([root.Path]);

        Assert.Equal(before, File.GetLastWriteTimeUtc(file));
    }

    [Fact]
    public void Many_at_once_leave_one_whole_model_and_nothing_else()
    {
        using var root = new TemporaryFolder();
        string[] folders = new string[8];

        Parallel.For(0, folders.Length, i => folders[i] = TinyGptOss.PlaceBelow([root.Path]));

        AssertWhole(Assert.Single(folders.Distinct()));
    }

    [Fact]
    public void Where_the_first_place_takes_nothing_the_second_is_used()
    {
        using var root = new TemporaryFolder();
        string blocked = Path.Combine(root.Path, "file");
        File.WriteAllText(blocked, "no folder can be made below a file");

        string folder = TinyGptOss.PlaceBelow([blocked, Path.Combine(root.Path, "second")]);

        Assert.StartsWith(Path.Combine(root.Path, "second"), folder);
        var refusal = Assert.Throws<IOException>(() => TinyGptOss.PlaceBelow([blocked]));
        Assert.Contains(blocked, refusal.Message);
    }

    private static void AssertWhole(string folder)
    {
        string[] names = [.. Directory.EnumerateFiles(Source).Select(file => Path.GetFileName(file)!).Order()];
        Assert.Equal(names, Directory.EnumerateFileSystemEntries(folder).Select(entry => Path.GetFileName(entry)!).Order());
        Assert.All(names, name =>
            Assert.Equal(File.ReadAllBytes(Path.Combine(Source, name)), File.ReadAllBytes(Path.Combine(folder, name))));
    }
}
