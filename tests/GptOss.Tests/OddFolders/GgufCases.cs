// Over 300 lines: one table of GGUF files and sets with the words that each refusal must hold.
using GptOss.Tests.Checkpoint.Gguf;

namespace GptOss.Tests.OddFolders;

/// <summary>GGUF files and sets of them that are damaged or odd.</summary>
internal static class GgufCases
{
    private const string Head = "output.weight",
        Norm = "output_norm.weight",
        Embedding = "token_embd.weight",
        A = "gpt-oss.",
        Part1 = "A-split-00001-of-00003.gguf",
        Part2 = "A-split-00002-of-00003.gguf",
        Part3 = "A-split-00003-of-00003.gguf";

    private static readonly string[] Needed =
    [
        "block_count",
        "embedding_length",
        "attention.head_count_kv",
        "attention.key_length",
        "attention.sliding_window",
        "expert_count",
    ];

    public static IEnumerable<OddCase> All => [.. Heads, .. Keys, .. Tensors, .. Models, .. Sets, .. Sound];

    private static IEnumerable<OddCase> Heads =>
        [
            Of(
                "magic with its letters turned",
                g => g.Magic = "FUGG"u8.ToArray(),
                "a GGUF file, which begins with 'GGUF'"
            ),
            Of("magic in small letters", g => g.Magic = "gguf"u8.ToArray(), "a GGUF file, which begins with 'GGUF'"),
            Of("magic of zeros", g => g.Magic = new byte[4], "a GGUF file, which begins with 'GGUF'"),
            Of("version 0", g => g.Version = 0, "big-endian"),
            Of("version 5", g => g.Version = 5, "version 5, but should be of version 2 or 3"),
            Of("version 2^31", g => g.Version = 1u << 31, "big-endian"),
            Of(
                "version 2^32 − 1",
                g => g.Version = uint.MaxValue,
                "version 4294967295, but should be of version 2 or 3"
            ),
            Of("one tensor too many", g => g.TensorCount = (ulong)g.Tensors.Count + 1, "m.gguf"),
            Of("one tensor too few", g => g.TensorCount = (ulong)g.Tensors.Count - 1, "m.gguf"),
            Of("100,001 tensors", g => g.TensorCount = 100_001, "claims 100001 tensors"),
            Of("2^32 tensors", g => g.TensorCount = 1UL << 32, "claims 4294967296 tensors", "at least 24 bytes each"),
            Of("2^63 tensors", g => g.TensorCount = 1UL << 63, "tensors, which take at least 24 bytes each"),
            Of("2^63 − 1 keys", g => g.KeyCount = long.MaxValue, "claims 9223372036854775807 keys of metadata"),
            Of("−1 keys", g => g.KeyCount = ulong.MaxValue, "claims -1 keys of metadata"),
            Of("10,001 keys", g => g.KeyCount = 10_001, "10001 keys of metadata, but should have at most 10000"),
            Of("one key too many", g => g.KeyCount = (ulong)g.Keys.Count + 1, "m.gguf"),
            Of("one key too few", g => g.KeyCount = (ulong)g.Keys.Count - 1, "m.gguf"),
            Bytes("five bytes", file => file[..5], "ends after 5 bytes", "cut off"),
            Bytes("23 bytes", file => file[..23], "ends after 23 bytes", "cut off"),
            Bytes("cut in the first key", file => file[..40], "m.gguf", "the file ends"),
            Bytes("cut in an array", file => file[..1200], "m.gguf", "the file ends"),
            Bytes("cut right behind the head", file => file[..(file.Length / 100)], "m.gguf", "ends"),
            Bytes(
                "cut in the data",
                file => file[..(file.Length / 2)],
                "tensor 'blk.1.",
                "the offset",
                "but the file ends after"
            ),
            Bytes("a page", _ => "<!DOCTYPE html><html>"u8.ToArray(), "a web page"),
            Bytes(
                "a pointer of Git LFS",
                _ => "version https://git-lfs.github.com/spec/v1\n"u8.ToArray(),
                "Git LFS pointer"
            ),
            Bytes("zeros", _ => new byte[4096], "begins with zeros only"),
            Bytes("an error of a server", _ => "Repository not found"u8.ToArray(), "is text ('Repository not found')"),
            Bytes("safetensors", _ => OddBase.HuggingFace.Files["model.safetensors"], "which begins with 'GGUF'"),
        ];

    private static IEnumerable<OddCase> Keys =>
        [
            Of("a value of type 2^31", g => g.RawKey = Raw("x.y", 1u << 31, []), "'x.y'", "type 2147483648"),
            Of(
                "a name of 65,536 bytes",
                g => g.RawKey = Raw(new string('k', 65_536), 0, [0]),
                "65536 bytes",
                "at most 65535"
            ),
            Of(
                "a string of 2^63",
                g => g.RawKey = Raw("x.y", 8, Number(1UL << 63, 8)),
                "'x.y' claims a length of 92233"
            ),
            Of(
                "an array of a string of 2^63",
                g => g.RawKey = Raw("x.y", 9, [.. Array(8, 1), .. Number(1UL << 63, 8)]),
                "a string in the array of 'x.y' claims a length of 92233"
            ),
            Of(
                "an array of 2^64 − 1 bytes",
                g => g.RawKey = Raw("x.y", 9, Array(0, ulong.MaxValue)),
                "'x.y'",
                "an array of 1844"
            ),
            Of(
                "an array whose bytes wrap",
                g => g.RawKey = Raw("x.y", 9, Array(10, (1UL << 61) + 1)),
                "'x.y'",
                "an array of"
            ),
            Of("an array of arrays of none", g => g.RawKey = Raw("x.y", 9, Array(9, 0)), "'x.y'", "an array of arrays"),
            Of(
                "an array of an unknown type",
                g => g.RawKey = Raw("x.y", 9, Array(13, 1)),
                "'x.y'",
                "an array of type 13"
            ),
            Of("a bool of 255", g => g.RawKey = Raw("x.y", 7, [255]), "'x.y'", "a bool of 255, but should be 0 or 1"),
            Of(
                "a name that is cut UTF-8",
                g => g.RawKey = [.. Number(1, 8), 0xC3, .. Number(0, 4), 0],
                "not valid UTF-8"
            ),
            Of("a name with a line feed", g => g.RawKey = Raw("a\nb", 14, [0]), "'a\\u000ab'", "type 14"),
            Of("another key twice", g => g.Keys.Add(g.Key("general.architecture")), "'general.architecture'", "twice"),
            Set("expert_count", 0, "a whole number from 1 to 4096", "0"),
            Set("block_count", 0, "a whole number from 1 to 1024", "0"),
            Set("block_count", 1025, "a whole number from 1 to 1024", "1025"),
            Set("embedding_length", 0, "a whole number from 1", "0"),
            Set("embedding_length", 127, "128, the width of 'token_embd.weight'", "127"),
            Set("attention.head_count", 3, "a multiple of num_key_value_heads", "3"),
            Set("attention.head_count_kv", 0, "a whole number from 1", "0"),
            Set("attention.key_length", 31, "attention.", "31"),
            Set("attention.value_length", 66, "as key_length", "66"),
            Set("attention.sliding_window", 0, "a whole number from 1", "0"),
            Set("expert_used_count", 99, "a whole number from 1", "99"),
            Set("expert_feed_forward_length", 0, "a whole number from 1", "0"),
            Set("context_length", 0, "a whole number from 1", "0"),
            .. Needed.SelectMany(name =>
                (OddCase[])
                    [
                        Of(
                            $"no {name}",
                            g => g.Keys.Remove(g.Key(A + name)),
                            $"'{A}{name}'",
                            "a whole number, found no such key"
                        ),
                        Of($"{name} as text", g => Put(g, A + name, 8, Text("7")), $"'{A}{name}'", "a string"),
                    ]
            ),
            Of(
                "a fraction of layers",
                g => Put(g, A + "block_count", 6, BitConverter.GetBytes(2f)),
                $"'{A}block_count'"
            ),
            Of("layers as a bool", g => Put(g, A + "block_count", 7, [1]), $"'{A}block_count'", "a bool"),
            Of("layers as an array", g => Put(g, A + "block_count", 9, [.. Array(4, 1), 2, 0, 0, 0]), "an array"),
            Of("−2^63 experts", g => Put(g, A + "expert_count", 11, Number(1UL << 63, 8)), "-9223372036854775808"),
            Of("frequency base 1", g => Float(g, "rope.freq_base", 1f), "rope.freq_base", "above 1", "1"),
            Of("frequency base NaN", g => Float(g, "rope.freq_base", float.NaN), "rope.freq_base", "not finite"),
            Of("frequency base negative", g => Float(g, "rope.freq_base", -1f), "rope.freq_base", "-1"),
            Of(
                "epsilon negative",
                g => Float(g, "attention.layer_norm_rms_epsilon", -1e-5f),
                "rms_epsilon",
                "positive"
            ),
            Of(
                "epsilon infinite",
                g => Float(g, "attention.layer_norm_rms_epsilon", float.PositiveInfinity),
                "not finite"
            ),
            Of("factor 0", g => Float(g, "rope.scaling.factor", 0f), "rope.scaling.factor", "0"),
            Of("scaling of no kind", g => Put(g, A + "rope.scaling.type", 8, Text("su")), "rope.scaling.type", "'su'"),
            Of(
                "scaling turned off and a factor",
                g => Put(g, A + "rope.scaling.type", 8, Text("none")),
                "rope.scaling"
            ),
            Of(
                "a pattern as an array",
                g => g.Keys.Add(new(A + "attention.sliding_window_pattern", 9, Array(7, 0))),
                "pattern"
            ),
            Of(
                "general.type projector",
                g => Put(g, "general.type", 8, Text("mmproj")),
                "of the type 'mmproj', but should be a model"
            ),
            Of(
                "architecture of qwen",
                g => Put(g, "general.architecture", 8, Text("qwen3moe")),
                "architecture 'qwen3moe'",
                "of 'gpt-oss'"
            ),
            Of(
                "architecture of none",
                g => Put(g, "general.architecture", 8, Text("")),
                "architecture ''",
                "of 'gpt-oss'"
            ),
            Of(
                "architecture as a number",
                g => Put(g, "general.architecture", 4, Number(7, 4)),
                "general.architecture"
            ),
            Of(
                "architecture of capitals",
                g => Put(g, "general.architecture", 8, Text("GPT-OSS")),
                "architecture 'GPT-OSS'",
                "of 'gpt-oss'"
            ),
            Of("alignment 4", g => g.Keys.Add(new("general.alignment", 4, Number(4, 4))), "general.alignment", "4"),
            Of(
                "alignment 2^21",
                g => g.Keys.Add(new("general.alignment", 4, Number(1 << 21, 4))),
                "general.alignment",
                "2097152"
            ),
            Of(
                "alignment 33",
                g => g.Keys.Add(new("general.alignment", 4, Number(33, 4))),
                "general.alignment",
                "a power of two",
                "33"
            ),
            Of(
                "another alignment than the data's",
                g => g.Keys.Add(new("general.alignment", 4, Number(1024, 4))),
                "multiple of 1024"
            ),
        ];

    private static IEnumerable<OddCase> Tensors =>
        [
            Of("six dimensions", g => g.Tensor(Norm).Sizes.AddRange([1, 1, 1, 1, 1]), Norm, "6 dimensions", "1 to 4"),
            Of("a dimension of 2^41", g => g.Tensor(Head).Sizes[1] = 1UL << 41, Head, "outside of 1 to 1099511627776"),
            Of("a dimension of 0 in the middle", g => Experts(g).Sizes[1] = 0, "ffn_up_exps", "outside of 1 to"),
            Of("a dimension of 2^63", g => g.Tensor(Head).Sizes[0] = 1UL << 63, Head, "outside of 1 to"),
            Of("sizes that wrap to small", g => Size(g, 1UL << 40, 1UL << 24, 1), Head, "size exceeds 63 bits"),
            Of("sizes that wrap to negative", g => Size(g, 1UL << 40, 1UL << 23), Head, "size exceeds 63 bits"),
            Of("a row of 63", g => g.Tensor(Head).Sizes[0] = 63, Head, "whole blocks of 32 values, but has rows of 63"),
            Of("type 5", g => g.Tensor(Head).Type = 5, Head, "Q4_3 (type 5), which is not read"),
            Of("type 41", g => g.Tensor(Head).Type = 41, Head, "Q1_0 (type 41), which is not read"),
            Of("type 99", g => g.Tensor(Head).Type = 99, Head, "type 99"),
            Of("type 2^31", g => g.Tensor(Head).Type = 1u << 31, Head, "type 2147483648"),
            Of("type 4 for experts", g => Experts(g).Type = 4, "ffn_up_exps", "is of type 4", "'gptoss'"),
            Of("integers in the norm", g => g.Tensor(Norm).Type = 25, Norm, "I16"),
            Of("blocks in the norm", g => g.Tensor(Norm).Type = 8, Norm, "should be BF16, F16 or F32", "Q8_0"),
            Of("another tensor twice", g => g.Tensors.Add(g.Tensor(Head)), Head, "is there twice"),
            Of("a name of 64 bytes", g => g.Tensor(Head).Name = new string('n', 64), "fewer than 64 bytes, but has 64"),
            Of("a name of a line feed", g => g.Tensor(Norm).Name = "\n", Norm),
            Of(
                "offset 2^63",
                g => g.Tensor(Head).Offset = 1UL << 63,
                Head,
                "the offset 9223372036854775808, but the file ends"
            ),
            Of("offset at the end", g => g.Tensor(Head).Offset = (ulong)g.Data.Length / 32 * 32, Head, "cut off"),
            Of("offset 1", g => g.Tensor(Head).Offset++, Head, "which is no multiple of 32"),
            Of("every tensor at 0", g => g.Tensors.ForEach(t => t.Offset = 0), "overlaps"),
            Of("two tensors half in one place", g => g.Tensor(Head).Offset -= 32, "overlaps"),
        ];

    private static IEnumerable<OddCase> Models =>
        [
            Of("no embedding", g => g.Tensor(Embedding).Name = "x", Embedding),
            Of("no last norm", g => g.Tensor(Norm).Name = "x", Norm, "another model"),
            Of("no bias of a router", g => g.Tensor("blk.0.ffn_gate_inp.bias").Name = "x", "blk.0.ffn_gate_inp.bias"),
            Of("no experts", g => Experts(g).Name = "x", "ffn_"),
            Of("an embedding of one dimension", g => Flat(g.Tensor(Embedding)), Embedding, "a matrix of at most"),
            Of("a head turned", g => g.Tensor(Head).Sizes.Reverse(), Head, "should be"),
            Of("a norm of another width", g => g.Tensor(Norm).Sizes[0] = 32, Norm, "[128] but is F32 [32]"),
            Of("experts of another count", g => Experts(g).Sizes[2]--, "ffn_up_exps", "but is"),
            Of(
                "the next layer",
                g => g.Tensor("blk.1.attn_norm.weight").Name = "blk.2.attn_norm.weight",
                "blk.2",
                "layer 2"
            ),
            Of("a layer far too many", g => Extra(g, "blk.999999999999.x"), "belongs to layer 999999999999"),
            Of("a layer of 2^31", g => Extra(g, "blk.2147483648.x"), "belongs to layer 2147483648"),
            Of(
                "vocab_size of another model",
                g => g.Keys.Add(new(A + "vocab_size", 4, Number(201_088, 4))),
                "vocab_size",
                "201088"
            ),
            Of("a tokenizer of llama", g => Put(g, "tokenizer.ggml.model", 8, Text("llama")), "'gpt2'", "'llama'"),
            Of(
                "a tokenizer of another split",
                g => Put(g, "tokenizer.ggml.pre", 8, Text("llama-bpe")),
                "'gpt-4o'",
                "'llama-bpe'"
            ),
            Of("no tokens", g => g.Keys.Remove(g.Key("tokenizer.ggml.tokens")), "tokenizer.ggml.tokens"),
            Of("no merges", g => g.Keys.Remove(g.Key("tokenizer.ggml.merges")), "tokenizer.ggml.merges"),
            Of(
                "a token of 65,536 bytes",
                g => Put(g, "tokenizer.ggml.tokens", 9, LongToken(g)),
                "A text of the key tokenizer.ggml.tokens has a length of 65536 bytes"
            ),
            Of("tokens as numbers", g => Put(g, "tokenizer.ggml.tokens", 9, Array(4, 0)), "tokenizer.ggml.tokens"),
            Of(
                "NaN in the norm",
                g => Fill(g, Norm, [0, 0, 0xC0, 0x7F]),
                $"tensor '{Norm}' holds a value that is not finite"
            ),
            Of(
                "∞ in the scales of the head",
                g => Fill(g, Head, [0, 0x7C]),
                $"tensor '{Head}' holds a value that is not finite"
            ),
            Other(
                "two models in one folder",
                OddBase.Gguf,
                Two,
                "holds 2 GGUF models: 'm.gguf', 'n.gguf'. Name one of them"
            ),
            Other(
                "a name of GGUF in a folder",
                OddBase.Gguf,
                Named,
                "'m.gguf' has the name of a GGUF file and not its beginning"
            ),
            Other("gone", OddBase.Gguf, f => f.Model += "x", "m.ggufx"),
        ];

    private static IEnumerable<OddCase> Sets =>
        [
            Set("the second gone", f => f.Delete(Part2), Part2, "does not exist. Is the download complete?"),
            Set("the first gone", f => f.Delete(Part1), Part1, "not exist"),
            Set("the second empty", f => f.Write(Part2, ""), "A-split-00002-of-00003.gguf", "bytes"),
            Set("the second a page", f => f.Write(Part2, "<html></html>"), Part2, "a web page"),
            Set("the second cut off", f => f.Bytes(Part2, file => file[..^64]), Part2, "cut off"),
            Set(
                "the second twice",
                f => File.Copy(f.At(Part2), f.At(Part3), overwrite: true),
                Part3,
                "split.no",
                "2",
                "1"
            ),
            Set("two exchanged", Exchanged, "split.no"),
            Set(
                "with capitals in the middle",
                Capitals,
                "split.count",
                "-00001-of-00003.gguf",
                "'A-SPLIT-00002-OF-00003.gguf'"
            ),
            Set("with digits of another script", Digits, "split.count", "a name that ends in -00001-of-00003.gguf"),
            Set("of another model", f => f.Write(Part2, OddBase.Gguf.Files["m.gguf"]), Part2, "split.count"),
            Set("a count of 1,001", f => Patch(f, "split.count", 1001), "split.count", "expected 3", "found 1001"),
            Set("a count of 2", f => Patch(f, "split.count", 2), "split.count"),
            Set("a sum of its own", f => Patch(f, "split.tensors.count", 40), Part2, "split.tensors.count", "40"),
            Set("a number of its own", f => Patch(f, "split.no", 7), Part2, "split.no", "1", "7"),
        ];

    private static IEnumerable<OddCase> Sound =>
        [
            Of("untouched", _ => { }),
            Set("untouched", _ => { }),
            Set("by its folder, named", f => f.Model += "/"),
            Set("by its first file", f => f.Model = f.At(Part1)),
            Set("by its second file", f => f.Model = f.At(Part2)),
            Set("by its last file", f => f.Model = f.At(Part3)),
            Set("with capital endings", Capital),
            Set("with capital endings, by its second file", CapitalFile),
            Other("by its folder", OddBase.Gguf, f => f.Model = Path.GetDirectoryName(f.Model)!),
            Other("of another ending", OddBase.Gguf, f => Moved(f, "m.bin")),
            Other("without an ending", OddBase.Gguf, f => Moved(f, "sha256-" + new string('a', 64))),
            Other("of a capital ending", OddBase.Gguf, f => Moved(f, "M.GGUF")),
            Other("a link", OddBase.Gguf, f => f.Link("m.gguf", Path.Join(f.Place, "store"), "../store/m.gguf")),
            Of("version 2", g => g.Version = 2),
            Of("tensors by their names", g => g.Tensors.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name))),
            Of("keys backwards", g => g.Keys.Reverse()),
            Of("alignment 32 said", g => g.Keys.Add(new("general.alignment", 4, Number(32, 4)))),
            Of("a chat template", g => g.Keys.Add(new("tokenizer.chat_template", 8, Text(new string('x', 99_999))))),
            Of("a value that is no text", g => g.RawKey = Raw("x.y", 8, [.. Number(2, 8), 0xFF, 0xFE])),
            Of("every type of a key", EveryType),
            Of("one more tensor", g => Extra(g, "x")),
            Of("one more tensor of a layer in words", g => Extra(g, "blk.x.y")),
            Of("bytes behind the end", g => g.Data = [.. g.Data, .. new byte[777]]),
            Of("trailing dimensions of 1", g => g.Tensor(Norm).Sizes.AddRange([1, 1, 1])),
            Of("trailing dimensions of 1 everywhere", Trailing),
            Of("whole numbers of 64 bits", g => Put(g, A + "embedding_length", 11, Number(128, 8))),
        ];

    private static OddCase Of(string name, Action<GgufParts> change, params string[] words) =>
        Other(name, OddBase.Gguf, f => f.Gguf(change), words.Length == 0 ? [] : ["m.gguf", .. words]);

    private static OddCase Bytes(string name, Func<byte[], byte[]> change, params string[] words) =>
        Other(name, OddBase.Gguf, f => f.Bytes(change), words);

    private static OddCase Set(string key, ulong value, params string[] words) =>
        Of($"{key} {value}", g => Put(g, A + key, 4, Number(value, 4)), words);

    private static OddCase Set(string name, Action<OddFolder> make, params string[] words) =>
        Other($"set: {name}", OddBase.GgufSet, make, words);

    private static OddCase Other(string name, OddBase sound, Action<OddFolder> make, params string[] words) =>
        new($"GGUF: {name}", sound, make, words);

    private static byte[] Number(ulong value, int bytes) => GgufParts.Number(value, bytes);

    private static byte[] Text(string text) => GgufParts.String8(text);

    private static byte[] Array(uint inner, ulong count) => [.. Number(inner, 4), .. Number(count, 8)];

    private static byte[] Raw(string name, uint type, byte[] value) => [.. Text(name), .. Number(type, 4), .. value];

    private static void Put(GgufParts g, string key, uint type, byte[] value) =>
        (g.Key(key).Type, g.Key(key).Value) = (type, value);

    private static void Float(GgufParts g, string key, float value) =>
        Put(g, A + key, GgufParts.F32, BitConverter.GetBytes(value));

    private static GgufTensor Experts(GgufParts g) => g.Tensor("blk.0.ffn_up_exps.weight");

    private static void Size(GgufParts g, params ulong[] sizes)
    {
        g.Tensor(Head).Sizes.Clear();
        g.Tensor(Head).Sizes.AddRange(sizes);
    }

    private static void Flat(GgufTensor tensor)
    {
        tensor.Sizes[0] *= tensor.Sizes[1];
        tensor.Sizes.RemoveAt(1);
    }

    // The first of the tokens; there are as many as before.
    private static byte[] LongToken(GgufParts g)
    {
        byte[] tokens = g.Key("tokenizer.ggml.tokens").Value;
        int first = 12 + 8 + (int)BitConverter.ToUInt64(tokens, 12);
        return [.. tokens[..12], .. Text(new string('x', 65_536)), .. tokens[first..]];
    }

    private static void Trailing(GgufParts g)
    {
        foreach (GgufTensor tensor in g.Tensors)
            tensor.Sizes.AddRange(Enumerable.Repeat(1UL, 4 - tensor.Sizes.Count));
    }

    // A tensor behind all others.
    private static void Extra(GgufParts g, string name)
    {
        g.Data = [.. g.Data, .. new byte[(-g.Data.Length & 31) + 32]];
        g.Tensors.Add(new GgufTensor(name, [8], 0, (ulong)g.Data.Length - 32));
    }

    private static void Fill(GgufParts g, string name, byte[] value)
    {
        int at = (int)g.Tensor(name).Offset;
        for (int i = 0; i < 4 * 8; i++)
            g.Data[at + i] = value[i % value.Length];
    }

    private static void EveryType(GgufParts g)
    {
        int[] bytes = [1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8];
        for (uint type = 0; type < bytes.Length; type++)
            g.Keys.Add(new($"x.{type}", type, new byte[bytes[type]]));
    }

    private static void Two(OddFolder f)
    {
        File.Copy(f.At("m.gguf"), f.At("n.gguf"));
        f.Model = Path.GetDirectoryName(f.Model)!;
    }

    private static void Named(OddFolder f)
    {
        f.Write("m.gguf", "none of it");
        f.Model = Path.GetDirectoryName(f.Model)!;
    }

    private static void Moved(OddFolder f, string name)
    {
        f.Rename("m.gguf", name);
        f.Model = f.At(name);
    }

    private static void Exchanged(OddFolder f)
    {
        f.Rename(Part2, "x");
        f.Rename(Part3, Part2);
        f.Rename("x", Part3);
    }

    private static void Capital(OddFolder f)
    {
        foreach (string part in (string[])[Part1, Part2, Part3])
            f.Rename(part, Path.ChangeExtension(part, ".GGUF"));
    }

    private static void Capitals(OddFolder f)
    {
        const string capital = "A-SPLIT-00002-OF-00003.gguf";
        f.Rename(Part2, capital);
        f.Model = f.At(capital);
    }

    private static void Digits(OddFolder f)
    {
        const string other = "A-split-٠٠٠٠٢-of-٠٠٠٠٣.gguf";
        f.Rename(Part2, other);
        f.Model = f.At(other);
    }

    private static void CapitalFile(OddFolder f)
    {
        Capital(f);
        f.Model = f.At(Path.ChangeExtension(Part2, ".GGUF"));
    }

    private static void Patch(OddFolder f, string key, ulong value) =>
        f.Gguf(g => g.Key(key).Value = Number(value, g.Key(key).Value.Length));
}
