// Over 300 lines: one table of damaged and odd files with the verdict that each must get.
using System.Buffers.Binary;
using System.Diagnostics;
using GptOss.Model;
using GptOss.Tests.Kernels;
using GptOss.Tests.Model;

namespace GptOss.Tests.Checkpoint.Gguf;

/// <summary>
/// Files made of A-bare by one change each: refused before a tensor is read, with the file's name and the word that is
/// given, or loaded with the bits of the sound file.
/// </summary>
[Promise(1)]
public sealed class DamagedGgufTests : IDisposable
{
    private const string Fine = "";

    private static readonly Dictionary<string, (string Names, Func<GgufParts, byte[]?> Damage)> Cases = new()
    {
        ["magic of another format"] = ("GGUF", Change(g => g.Magic = "tjgg"u8.ToArray())),
        ["version 1"] = ("version 1", Change(g => g.Version = 1)),
        ["version 2"] = (Fine, Change(g => g.Version = 2)),
        ["version 4"] = ("version 4", Change(g => g.Version = 4)),
        ["big endian"] = ("big-endian", Change(g => g.BigEndian = true)),
        ["more tensors than bytes"] = ("tensors", Change(g => g.TensorCount = 1UL << 40)),
        ["negative tensors"] = ("tensors", Change(g => g.TensorCount = ulong.MaxValue)),
        ["no tensors"] = ("tensors", Change(g => g.Tensors.Clear())),
        ["no tensors in a set of one"] = (
            "no tensors",
            Change(g =>
            {
                g.Keys.Add(U32("split.count", 1));
                g.Tensors.Clear();
            })
        ),
        // What llama.cpp's merge leaves of the keys of the parts.
        ["a set merged into one file"] = (
            Fine,
            Change(g =>
                g.Keys.AddRange([
                    U32("split.no", 0),
                    U32("split.count", 0),
                    U32("split.tensors.count", (uint)g.Tensors.Count),
                ])
            )
        ),
        ["more keys than bytes"] = ("metadata", Change(g => g.KeyCount = 1UL << 61)),
        ["nothing after the magic"] = ("ends", _ => "GGUF"u8.ToArray()),
        ["empty file"] = ("empty", _ => []),
        ["cut in the metadata"] = ("ends", g => g.Bytes()[..300]),
        ["cut in the tensor list"] = ("ends", g => g.Bytes()[..1500]),

        ["value of unknown type"] = ("type 13", Raw("x.y", 13, new byte[8])),
        ["key longer than the file"] = (
            "length",
            Change(g => g.RawKey = [.. GgufParts.Number((1UL << 63) + 5, 8), (byte)'x'])
        ),
        ["string longer than the file"] = ("length", Raw("x.y", GgufParts.String, GgufParts.Number(1UL << 32, 8))),
        ["string length wraps"] = ("length", Raw("x.y", GgufParts.String, GgufParts.Number(ulong.MaxValue, 8))),
        ["array longer than the file"] = ("array", Raw("x.y", GgufParts.Array, Elements(GgufParts.U32, 1UL << 62))),
        ["array of strings longer than the file"] = (
            "array",
            Raw("x.y", GgufParts.Array, Elements(GgufParts.String, 1UL << 60))
        ),
        ["array in an array"] = (
            "array",
            Raw("x.y", GgufParts.Array, [.. Elements(GgufParts.Array, 1), .. Elements(GgufParts.U8, 1), 0])
        ),
        ["bool of 2"] = ("bool", Raw("x.y", GgufParts.Bool, [2])),
        ["a key twice"] = ("twice", Change(g => g.Keys.Add(g.Key("gpt-oss.block_count")))),
        ["a key without a name"] = ("empty", Change(g => g.Keys.Add(U32("", 1)))),
        ["a key that is no text"] = (
            "UTF-8",
            Change(g =>
                g.RawKey = [
                    .. GgufParts.Number(2, 8),
                    0xFF,
                    0xFE,
                    .. GgufParts.Number(GgufParts.U32, 4),
                    .. GgufParts.Number(1, 4),
                ]
            )
        ),
        ["keys nobody knows"] = (
            Fine,
            Change(g =>
                g.Keys.AddRange([
                    new("general.x", GgufParts.String, GgufParts.String8(new string('é', 100))),
                    new("a.b", GgufParts.Array, [.. Elements(GgufParts.F32, 2), .. new byte[8]]),
                    new("c", GgufParts.Array, Elements(GgufParts.String, 0)),
                    new("d.e", GgufParts.U64, GgufParts.Number(ulong.MaxValue, 8)),
                ])
            )
        ),
        ["a whole number of another width"] = (
            Fine,
            Change(g =>
            {
                Retype(g, "gpt-oss.block_count", GgufParts.U64, 8);
                Retype(g, "gpt-oss.expert_count", GgufParts.U16, 2);
                Retype(g, "gpt-oss.attention.head_count", GgufParts.I32, 4);
            })
        ),
        ["block count as a string"] = (
            "gpt-oss.block_count",
            Set("gpt-oss.block_count", GgufParts.String, GgufParts.String8("2"))
        ),
        ["negative experts"] = (
            "gpt-oss.expert_count",
            Set("gpt-oss.expert_count", GgufParts.I32, GgufParts.Number(0xFFFF_FFFF, 4))
        ),
        ["four thousand million layers"] = (
            "gpt-oss.block_count",
            Set("gpt-oss.block_count", GgufParts.U32, GgufParts.Number(0xFFFF_FFFF, 4))
        ),
        ["no heads"] = ("gpt-oss.attention.head_count", Remove("gpt-oss.attention.head_count")),
        ["no architecture"] = ("general.architecture", Remove("general.architecture")),
        ["another architecture"] = ("llama", Text("general.architecture", "llama")),
        ["another rope"] = ("rope.scaling.type", Text("gpt-oss.rope.scaling.type", "longrope")),
        ["alignment 0"] = ("general.alignment", Change(g => g.Keys.Add(U32("general.alignment", 0)))),
        ["alignment 48"] = ("general.alignment", Change(g => g.Keys.Add(U32("general.alignment", 48)))),
        ["alignment 2 to 31"] = ("general.alignment", Change(g => g.Keys.Add(U32("general.alignment", 1u << 31)))),
        ["alignment as a string"] = (
            "general.alignment",
            Change(g => g.Keys.Add(new("general.alignment", GgufParts.String, GgufParts.String8("32"))))
        ),
        ["an adapter"] = ("adapter", Text("general.type", "adapter")),
        ["epsilon is NaN"] = (
            "not finite",
            Set("gpt-oss.attention.layer_norm_rms_epsilon", GgufParts.F32, BitConverter.GetBytes(float.NaN))
        ),
        ["epsilon that float32 does not hold"] = (
            "gpt-oss.attention.layer_norm_rms_epsilon",
            Set("gpt-oss.attention.layer_norm_rms_epsilon", 12, BitConverter.GetBytes(1e300))
        ),
        ["epsilon that float32 makes zero"] = (
            "gpt-oss.attention.layer_norm_rms_epsilon",
            Set("gpt-oss.attention.layer_norm_rms_epsilon", 12, BitConverter.GetBytes(1e-300))
        ),

        ["epsilon is 0 in float32"] = (
            "layer_norm_rms_epsilon",
            Set("gpt-oss.attention.layer_norm_rms_epsilon", GgufParts.F64, BitConverter.GetBytes(1e-60))
        ),
        ["frequency base is infinite in float32"] = (
            "rope.freq_base",
            Set("gpt-oss.rope.freq_base", GgufParts.F64, BitConverter.GetBytes(1e60))
        ),

        ["five dimensions"] = ("dimensions", Change(g => g.Tensor("output.weight").Sizes.AddRange([1, 1, 1]))),
        ["four thousand million dimensions"] = ("dimensions", Patched("output.weight", uint.MaxValue)),
        ["no dimensions"] = ("output.weight", Sizes("output.weight")),
        ["a dimension of 0"] = ("output.weight", Sizes("output.weight", 64, 0)),
        ["negative dimension"] = ("output.weight", Sizes("output.weight", 64, ulong.MaxValue)),
        ["product wraps to small"] = ("output.weight", Sizes("output.weight", 1UL << 33, 1UL << 31, 4)),
        ["product times block wraps"] = ("output.weight", Sizes("output.weight", 1UL << 32, 1UL << 31)),
        ["a row that is no whole block"] = (
            "32",
            Change(g =>
            {
                List<ulong> sizes = g.Tensor("output.weight").Sizes;
                (sizes[0], sizes[1]) = (sizes[0] / 4, sizes[1] * 4);
            })
        ),
        ["type 4 in llama.cpp's layout"] = ("type 4", Type("output.weight", 4)),
        ["type 40"] = ("NVFP4", Type("output.weight", 40)),
        ["type 1000"] = ("type 1000", Type("output.weight", 1000)),
        ["negative type"] = ("type", Type("output.weight", uint.MaxValue)),
        ["integers where weights belong"] = ("I32", Type("output_norm.weight", 26)),
        ["a tensor twice"] = ("twice", Change(g => g.Tensors.Add(g.Tensor("output_norm.weight")))),
        ["a long name"] = ("64", Change(g => g.Tensor("output.weight").Name = "output.weight" + new string('x', 64))),
        ["a tensor without a name"] = ("empty", Change(g => g.Tensor("output.weight").Name = "")),
        ["offset beyond the file"] = ("offset", Change(g => g.Tensor("output.weight").Offset = 1UL << 40)),
        ["offset wraps"] = ("offset", Change(g => g.Tensor("output.weight").Offset = ulong.MaxValue - 31)),
        ["offset not aligned"] = ("offset", Change(g => g.Tensor("output.weight").Offset += 4)),
        ["two tensors in one place"] = (
            "overlap",
            Change(g => g.Tensor("output.weight").Offset = g.Tensor("output_norm.weight").Offset)
        ),
        ["the last tensor cut"] = ("ends", g => g.Bytes()[..^32]),
        ["a megabyte behind the end"] = (Fine, Change(g => g.Data = [.. g.Data, .. new byte[1 << 20]])),
        ["no padding at the end"] = (Fine, Change(g => g.Data = g.Data[..(int)End(g)])),
        ["tensors listed backwards"] = (Fine, Change(g => g.Tensors.Reverse())),
        ["a hole between tensors"] = (
            Fine,
            Change(g =>
            {
                GgufTensor last = g.Tensors.MaxBy(tensor => tensor.Offset)!;
                int at = (int)last.Offset;
                g.Data = [.. g.Data[..at], .. new byte[64], .. g.Data[at..]];
                last.Offset += 64;
            })
        ),

        ["a missing tensor"] = (
            "blk.1.attn_sinks.weight",
            Change(g => g.Tensor("blk.1.attn_sinks.weight").Name = "blk.1.attn_zinks.weight")
        ),
        ["swapped dimensions"] = ("blk.0.attn_q.weight", Change(g => g.Tensor("blk.0.attn_q.weight").Sizes.Reverse())),
        ["experts in two dimensions"] = (
            "blk.0.ffn_up_exps.weight",
            Change(g =>
            {
                List<ulong> sizes = g.Tensor("blk.0.ffn_up_exps.weight").Sizes;
                sizes[1] *= sizes[2];
                sizes.RemoveAt(2);
            })
        ),
        ["a layer too many"] = (
            "blk.7.",
            Change(g => g.Tensor("blk.1.attn_norm.weight").Name = "blk.7.attn_norm.weight")
        ),
        ["width that no tensor has"] = (
            "gpt-oss.embedding_length",
            Change(g =>
            {
                byte[] value = g.Key("gpt-oss.embedding_length").Value;
                BinaryPrimitives.WriteInt32LittleEndian(value, 2 * BinaryPrimitives.ReadInt32LittleEndian(value));
            })
        ),
        ["a last dimension of 1"] = (Fine, Change(g => g.Tensor("output_norm.weight").Sizes.Add(1))),
    };

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Refused => [.. Names(refused: true)];

    public static TheoryData<string> Sound => [.. Names(refused: false)];

    public void Dispose() => _folder.Dispose();

    [Theory, MemberData(nameof(Refused))]
    public async Task A_damaged_file_is_refused_at_once_with_its_name_and_the_fault(string name)
    {
        string path = Write(name);
        long before = GC.GetAllocatedBytesForCurrentThread();
        long start = Stopwatch.GetTimestamp();

        CheckpointException refusal = Assert.Throws<CheckpointException>(() => Open(path));

        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 1);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        AssertNames(refusal, path, Cases[name].Names);
        AssertNames(
            await Assert.ThrowsAsync<CheckpointException>(() =>
                GptOssModel.LoadAsync(path, cancellationToken: TestContext.Current.CancellationToken)
            ),
            path,
            Cases[name].Names
        );
    }

    [Theory, MemberData(nameof(Sound))]
    public void An_odd_file_has_the_bits_of_the_sound_one(string name)
    {
        using var model = new LoadedModel(Write(name));
        AssertSound(model);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_split_set_is_opened_by_any_of_its_files(int part)
    {
        string[] parts = Split();
        using (var model = new LoadedModel(parts[part]))
        {
            AssertSound(model);
            Assert.Equal((parts[0], ModelFormat.Gguf), (model.Model.Path, model.Model.Format));
            Assert.Equal(Path.GetDirectoryName(parts[0]), model.Model.Folder);
            Assert.Equal("A-split", model.Model.Name);
        }
        using var folder = new LoadedModel(_folder.Path);
        AssertSound(folder);
    }

    [Theory]
    [InlineData("without its last file", "A-split-00003-of-00003.gguf")]
    [InlineData("with a file twice", "A-split-00003-of-00003.gguf")]
    [InlineData("numbered wrongly", "split.no")]
    [InlineData("of another count", "split.count")]
    [InlineData("of more tensors", "split.tensors.count")]
    [InlineData("of sixty thousand", "split.count")]
    [InlineData("renamed", "split.count")]
    public void A_split_set_that_does_not_fit_together_is_refused(string damage, string names)
    {
        string[] parts = Split();
        switch (damage)
        {
            case "without its last file":
                File.Delete(parts[2]);
                break;
            case "with a file twice":
                File.Copy(parts[1], parts[2], overwrite: true);
                break;
            case "numbered wrongly":
                Patch(parts[1], "split.no", 2);
                break;
            case "of another count":
                Patch(parts[1], "split.count", 4);
                break;
            case "of more tensors":
                Patch(parts[0], "split.tensors.count", 99);
                break;
            case "of sixty thousand":
                Patch(parts[0], "split.count", 60_000);
                break;
            default:
                File.Move(parts[0], parts[0] = Path.Join(_folder.Path, "model.gguf"));
                break;
        }
        CheckpointException refusal = Assert.Throws<CheckpointException>(() => Open(parts[0]));
        Assert.StartsWith(_folder.Path, refusal.FilePath);
        Assert.Contains(names, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_of_the_name_of_a_set_beside_it_is_another_model()
    {
        Split();
        File.Copy(GgufVectors.PathOf("A-bare.gguf"), Path.Join(_folder.Path, "A-split.gguf"));
        Assert.Contains(
            "holds 2 GGUF models: 'A-split-00001-of-00003.gguf', 'A-split.gguf'.",
            Assert.Throws<CheckpointException>(() => Open(_folder.Path)).Message
        );
    }

    [Fact]
    public void Of_a_set_that_is_not_whole_no_file_stays_open()
    {
        string[] parts = Split();
        File.Delete(parts[0]);
        Assert.Throws<CheckpointException>(() => Open(parts[2]));
        // A file that somebody has open cannot be opened for oneself alone.
        using var alone = new FileStream(parts[2], FileMode.Open, FileAccess.ReadWrite, FileShare.None);
    }

    private static void Open(string path) =>
        ModelFolder.Open(path, ModelOptions.Default, progress: null, CancellationToken.None).Dispose();

    private static void AssertNames(CheckpointException refusal, string path, string names)
    {
        Assert.Equal(path, refusal.FilePath);
        Assert.Contains(names, refusal.Message, StringComparison.Ordinal);
        Assert.InRange(refusal.Message.Length - path.Length, 10, 400);
    }

    private static void AssertSound(LoadedModel model)
    {
        int[] prompt = GgufVectors.PromptOfA()[..7];
        using var sound = new LoadedModel(GgufVectors.PathOf("A-bare.gguf"));
        Sample.AssertSameBits(sound.Logits(prompt)[^1], model.Logits(prompt)[^1], "the last position");
    }

    private string Write(string name)
    {
        var parts = GgufParts.Read(GgufVectors.PathOf("A-bare.gguf"));
        byte[] bytes = Cases[name].Damage(parts) ?? parts.Bytes();
        string path = Path.Join(_folder.Path, "damaged.gguf");
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private string[] Split()
    {
        string[] names = [.. Enumerable.Range(1, 3).Select(part => $"A-split-{part:D5}-of-00003.gguf")];
        foreach (string name in names)
            File.Copy(GgufVectors.PathOf(name), Path.Join(_folder.Path, name));
        return [.. names.Select(name => Path.Join(_folder.Path, name))];
    }

    // Writes two bytes over the value of a key.
    private static void Patch(string path, string key, ushort value)
    {
        byte[] bytes = File.ReadAllBytes(path);
        byte[] name = GgufParts.String8(key);
        int at = bytes.AsSpan().IndexOf(name) + name.Length + 4;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(at), value);
        File.WriteAllBytes(path, bytes);
    }

    private static IEnumerable<string> Names(bool refused) =>
        Cases.Where(item => (item.Value.Names.Length > 0) == refused).Select(item => item.Key);

    private static Func<GgufParts, byte[]?> Change(Action<GgufParts> change) =>
        parts =>
        {
            change(parts);
            return null;
        };

    private static Func<GgufParts, byte[]?> Raw(string key, uint type, byte[] value) =>
        Change(g => g.RawKey = [.. GgufParts.String8(key), .. GgufParts.Number(type, 4), .. value]);

    private static Func<GgufParts, byte[]?> Set(string key, uint type, byte[] value) =>
        Change(g => (g.Key(key).Type, g.Key(key).Value) = (type, value));

    private static Func<GgufParts, byte[]?> Text(string key, string value) =>
        Set(key, GgufParts.String, GgufParts.String8(value));

    private static Func<GgufParts, byte[]?> Remove(string key) => Change(g => g.Keys.Remove(g.Key(key)));

    private static Func<GgufParts, byte[]?> Type(string tensor, uint type) => Change(g => g.Tensor(tensor).Type = type);

    private static Func<GgufParts, byte[]?> Sizes(string tensor, params ulong[] sizes) =>
        Change(g =>
        {
            g.Tensor(tensor).Sizes.Clear();
            g.Tensor(tensor).Sizes.AddRange(sizes);
        });

    // Another number of dimensions, and the bytes behind it as they were.
    private static Func<GgufParts, byte[]?> Patched(string tensor, uint dimensions) =>
        g =>
        {
            byte[] bytes = g.Bytes(),
                name = GgufParts.String8(tensor);
            BinaryPrimitives.WriteUInt32LittleEndian(
                bytes.AsSpan(bytes.AsSpan().IndexOf(name) + name.Length),
                dimensions
            );
            return bytes;
        };

    private static GgufKey U32(string name, uint value) => new(name, GgufParts.U32, GgufParts.Number(value, 4));

    private static byte[] Elements(uint inner, ulong count) =>
        [.. GgufParts.Number(inner, 4), .. GgufParts.Number(count, 8)];

    private static void Retype(GgufParts g, string key, uint type, int bytes)
    {
        uint value = BinaryPrimitives.ReadUInt32LittleEndian(g.Key(key).Value);
        (g.Key(key).Type, g.Key(key).Value) = (type, GgufParts.Number(value, bytes));
    }

    // Where the last tensor ends: it is Q8_0, float32 or MXFP4.
    private static long End(GgufParts g)
    {
        GgufTensor last = g.Tensors.MaxBy(tensor => tensor.Offset)!;
        long count = last.Sizes.Aggregate(1L, (product, size) => product * (long)size);
        return (long)last.Offset
            + last.Type switch
            {
                0 => 4 * count,
                8 => count / 32 * 34,
                _ => count / 32 * 17,
            };
    }
}
