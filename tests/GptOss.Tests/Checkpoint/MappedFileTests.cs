using GptOss.Checkpoint;

namespace GptOss.Tests.Checkpoint;

/// <summary>A file system that refuses a way of mapping is met with the next one.</summary>
public sealed unsafe class MappedFileTests : IDisposable
{
    private const int NoDevice = 19,
        NoMemory = 12; // ENODEV, ENOMEM

    private readonly TemporaryFolder _folder = new();

    private string FilePath => Path.Join(_folder.Path, "x");

    public MappedFileTests() =>
        File.WriteAllBytes(FilePath, [.. Enumerable.Range(0, 10_000).Select(i => (byte)(i % 251))]);

    [Theory]
    [InlineData(0, nameof(MappingWay.Shared))]
    [InlineData(1, nameof(MappingWay.Private))]
    [InlineData(2, nameof(MappingWay.Memory))]
    public void Every_way_gives_the_same_bytes(int refusals, string way)
    {
        using MappedFile file = MappedFile.Open(FilePath, 1, before: Refusing(refusals, NoDevice));

        Assert.Equal(way, file.Way.ToString());
        Assert.Equal(File.ReadAllBytes(FilePath), new ReadOnlySpan<byte>(file.Data, (int)file.Length));
        ILastReading part = file.MapPart(9001, 99);
        Assert.Equal(File.ReadAllBytes(FilePath).AsSpan(9001, 99), new ReadOnlySpan<byte>(part.Data, 99));
        part.Dispose();
        Assert.Throws<ObjectDisposedException>(() => (nint)part.Data);
        Assert.Equal(9001 % 251, file.Data[9001]); // a closed part takes nothing from the whole
        file.ThrowIfChanged([0, 1, 2]);
    }

    [Fact]
    public void A_private_mapping_is_watched_like_a_shared_one_and_a_copy_stays_what_it_was()
    {
        using MappedFile mapped = MappedFile.Open(FilePath, 1, before: Refusing(1, NoDevice));
        using MappedFile copied = MappedFile.Open(FilePath, 1, before: Refusing(2, NoDevice));
        using (FileStream stream = new(FilePath, FileMode.Append, FileAccess.Write, FileShare.ReadWrite))
            stream.WriteByte(0);

        Assert.Throws<CheckpointException>(() => mapped.ThrowIfChanged([0]));
        copied.ThrowIfChanged([0]);
        Assert.Equal(10_000, copied.Length);
    }

    [Fact]
    public void A_file_that_cannot_be_read_either_says_so_with_its_name()
    {
        var error = Assert.Throws<CheckpointException>(() =>
            MappedFile.Open(FilePath, 1, before: Refusing(3, NoDevice))
        );
        Assert.StartsWith($"{FilePath}: cannot be read: refused", error.Message);
    }

    [Fact]
    public void Too_little_memory_for_a_mapping_is_no_reason_to_read_into_memory()
    {
        var tried = new List<MappingWay>();
        Assert.Throws<CheckpointException>(() => MappedFile.Open(FilePath, 1, before: way =>
            {
                tried.Add(way);
                throw new IOException("refused", NoMemory);
            }));
        Assert.Equal([MappingWay.Shared], tried);
    }

    public void Dispose() => _folder.Dispose();

    private static Action<MappingWay> Refusing(int ways, int error) =>
        way =>
        {
            if ((int)way < ways)
                throw new IOException("refused", error);
        };
}
