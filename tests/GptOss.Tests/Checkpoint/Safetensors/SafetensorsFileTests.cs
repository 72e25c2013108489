using GptOss.Checkpoint;
using GptOss.Checkpoint.Safetensors;

namespace GptOss.Tests.Checkpoint.Safetensors;

public sealed unsafe class SafetensorsFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Tensors_point_at_their_bytes_in_the_file()
    {
        using SafetensorsFile file = Open(SafetensorsBytes.Sample);

        Assert.Equal(SafetensorsBytes.Sample.Length, file.Length);
        // The data counts up from 0.
        Assert.Equal(Enumerable.Range(24, 10).Select(i => (byte)i), Bytes(file.Tensors[1]));
        Assert.Equal(Enumerable.Range(34, 4).Select(i => (byte)i), Bytes(file.Tensors[2]));
    }

    [Fact]
    public void Data_may_begin_at_an_odd_address()
    {
        string json = """{"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}""";
        using SafetensorsFile file = Open(SafetensorsBytes.WithHeader(json.Length % 2 == 0 ? json + " " : json, 4));

        Assert.Equal(1, (nint)file.Tensors[0].Data % 2);
        Assert.Equal([0, 1, 2, 3], Bytes(file.Tensors[0]));
    }

    [Fact]
    public void A_file_and_a_tensor_beyond_four_gigabytes_are_mapped_where_they_are()
    {
        const long Large = 5_000_000_000;
        byte[] start = SafetensorsBytes.WithHeader(
            $$$"""{"large":{"dtype":"U8","shape":[{{{Large}}}],"data_offsets":[0,{{{Large}}}]},"""
                + $$$""" "last":{"dtype":"BF16","shape":[2],"data_offsets":[{{{Large}}},{{{Large + 4}}}]}}""",
            0
        );
        string path = At("large.safetensors");
        using (FileStream sparse = File.Create(path))
        {
            sparse.Write(start);
            sparse.SetLength(start.Length + Large + 4);
            sparse.Position = start.Length + Large - 1;
            sparse.Write([9, 1, 2, 3, 4]);
        }

        using var file = SafetensorsFile.Open(path);

        Tensor large = file.Tensors[0].Expect(DType.U8, Large);
        Assert.Equal((Large, Large), (large.Count, large.ByteLength));
        Assert.Equal(9, large.Data[Large - 1]);
        Assert.Equal([1, 2, 3, 4], Bytes(file.Tensors[1]));
    }

    [Fact]
    public void A_file_without_room_for_its_header_is_refused()
    {
        Assert.Contains("at least 8", Refusal([1, 2, 3]));
        Assert.Contains("it is cut off. Download it again.", Refusal(SafetensorsBytes.Sample[..20]));
        Assert.Contains("at most 100000000", Refusal([.. BitConverter.GetBytes(100_000_001L), 0, 0]));
    }

    [Fact]
    public void A_refused_file_is_closed_again()
    {
        const string Maps = "/proc/self/maps";
        Assert.SkipUnless(File.Exists(Maps), "The mappings of the process are listed on Linux only.");
        using (Open(SafetensorsBytes.Sample))
            Assert.Contains(At("x.safetensors"), File.ReadAllText(Maps));

        Refusal(SafetensorsBytes.Sample[..^1]);

        Assert.DoesNotContain(At("x.safetensors"), File.ReadAllText(Maps));
    }

    [Fact]
    public void A_file_of_another_length_or_header_is_found_changed_and_a_touched_one_is_not()
    {
        using SafetensorsFile file = Open(SafetensorsBytes.Sample);
        file.ThrowIfChanged();

        File.SetLastWriteTimeUtc(file.Path, DateTime.UtcNow.AddHours(-1));
        file.ThrowIfChanged();

        // Another name of the same length in the header: the offsets may mean anything now.
        Overwrite((byte)'z');
        Assert.Contains("changed while in use: its header is another one", ChangeOf(file));
        Overwrite((byte)'a');
        file.ThrowIfChanged();

        using (FileStream stream = new(file.Path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite))
            stream.WriteByte(0);
        Assert.Contains("changed while in use: it had", ChangeOf(file));

        void Overwrite(byte letter)
        {
            using (FileStream stream = new(file.Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            {
                stream.Position = SafetensorsBytes.Sample.AsSpan().IndexOf("a.weight"u8);
                stream.WriteByte(letter);
            }
            File.SetLastWriteTimeUtc(file.Path, DateTime.UtcNow.AddMinutes(letter));
        }
    }

    [Fact]
    public void A_file_replaced_by_renaming_stays_as_it_was()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows does not replace a mapped file.");
        using SafetensorsFile file = Open(SafetensorsBytes.Sample);
        File.WriteAllBytes(At("new"), [0]);
        File.Move(At("new"), file.Path, overwrite: true);

        file.ThrowIfChanged();

        Assert.Equal(34, Bytes(file.Tensors[2])[0]);
    }

    [Fact]
    public void A_disposed_file_says_so_and_may_be_disposed_again()
    {
        SafetensorsFile file = Open(SafetensorsBytes.Sample);
        file.Dispose();
        file.Dispose();

        Assert.Throws<ObjectDisposedException>(file.ThrowIfChanged);
    }

    public void Dispose() => _folder.Dispose();

    private static string ChangeOf(SafetensorsFile file) =>
        Assert.Throws<CheckpointException>(file.ThrowIfChanged).Message;

    private static byte[] Bytes(Tensor tensor) =>
        new ReadOnlySpan<byte>(tensor.Data, checked((int)tensor.ByteLength)).ToArray();

    private SafetensorsFile Open(byte[] content)
    {
        File.WriteAllBytes(At("x.safetensors"), content);
        return SafetensorsFile.Open(At("x.safetensors"));
    }

    private string Refusal(byte[] content) => Assert.Throws<CheckpointException>(() => Open(content).Dispose()).Message;

    private string At(string name) => Path.Join(_folder.Path, name);
}
