// Over 300 lines: one table of safetensors headers with the words that each refusal must hold.
using System.Text;

namespace GptOss.Tests.OddFolders;

/// <summary>Headers of safetensors files against every check of the reference parser, in both layouts.</summary>
internal static class HeaderCases
{
    private static readonly (string Name, Action<OddFolder> Make, string[] Words)[] Table =
    [
        // The length.
        Of("of no byte", f => f.Bytes(_ => []), "has 0 bytes, but should have at least 8"),
        Of("of one byte", f => f.Bytes(file => file[..1]), "has 1 byte, but should have at least 8"),
        Of("of seven bytes", f => f.Bytes(file => file[..7]), "has 7 bytes, but should have at least 8"),
        Of("of eight bytes", f => f.Bytes(file => file[..8]), "header claims", "the file has only 8"),
        Of("length 0", f => f.HeaderLength(_ => 0), "no valid JSON"),
        Of("length 1", f => f.HeaderLength(_ => 1), "no valid JSON"),
        Of("length one short", f => f.Header(h => h.Trim() + " "), f => f.HeaderLength(n => n - 2), "no valid JSON"),
        Of("length one long", f => f.HeaderLength(n => n + 1), "header"),
        Of("length eight long", f => f.HeaderLength(n => n + 8), "header"),
        Of("length halved", f => f.HeaderLength(n => n / 2), "no valid JSON"),
        Of("length of the file", f => f.HeaderLength(_ => (ulong)FileLength(f)), "header claims", "has only"),
        Of("length to the end", f => f.HeaderLength(_ => (ulong)FileLength(f) - 8), "header"),
        Of("length 100,000,000", f => f.HeaderLength(_ => 100_000_000), "claims 100000000 bytes", "has only"),
        Of("length 100,000,001", f => f.HeaderLength(_ => 100_000_001), "at most 100000000", "claims 100000001"),
        Of("length 2^31 − 1", f => f.HeaderLength(_ => int.MaxValue), "at most 100000000", "claims 2147483647"),
        Of("length 2^31", f => f.HeaderLength(_ => 1UL << 31), "at most 100000000", "claims 2147483648"),
        Of("length 2^32", f => f.HeaderLength(n => n + (1UL << 32)), "at most 100000000"),
        Of("length 2^63 − 1", f => f.HeaderLength(_ => long.MaxValue), "claims 9223372036854775807"),
        Of("length 2^63", f => f.HeaderLength(_ => 1UL << 63), "claims 9223372036854775808"),
        Of("length 2^64 − 1", f => f.HeaderLength(_ => ulong.MaxValue), "claims 18446744073709551615"),
        Of("length 2^64 − 8", f => f.HeaderLength(_ => ulong.MaxValue - 7), "claims 18446744073709551608"),
        Of(
            "length with the highest byte first",
            f => f.Bytes(file => [.. file[..8].Reverse(), .. file[8..]]),
            "claims"
        ),
        // The text.
        Of("no UTF-8", f => f.HeaderBytes(h => Replaced(h, "dtype"u8, [.. "dtyp"u8, 0xFF])), "not valid UTF-8"),
        Of(
            "overlong UTF-8",
            f => f.HeaderBytes(h => Replaced(h, "dtype"u8, [.. "dty"u8, 0xC0, 0x80])),
            "not valid UTF-8"
        ),
        Of(
            "half a surrogate in UTF-8",
            f => f.HeaderBytes(h => Replaced(h, "dtype"u8, [.. "dt"u8, 0xED, 0xA0, 0x80])),
            "UTF-8"
        ),
        Of(
            "half a surrogate as an escape",
            f => f.Header(h => Once(h, "\"format\"", "\"\\ud800\"")),
            "not Unicode text"
        ),
        Of("an escape that JSON has not", f => f.Header(h => Once(h, "\"format\"", "\"\\x41\"")), "no valid JSON"),
        Of("an array", f => f.Header(h => $"[{h}]"), "should be an object, but an array was found"),
        Of("null", f => f.Header(_ => "null"), "should be an object, but null was found"),
        Of("a string", f => f.Header(_ => "\"x\""), "should be an object, but a string was found"),
        Of("a number", f => f.Header(_ => "7"), "should be an object, but 7 was found"),
        Of("true", f => f.Header(_ => "true"), "should be an object, but true was found"),
        Of("without tensors", f => f.Header(_ => "{}"), "its tensors should end with the file, but leave over"),
        Of("blanks", f => f.Header(_ => "        "), "no valid JSON"),
        Of("a comma at the end", f => f.Header(h => h.TrimEnd()[..^1] + ",}"), "no valid JSON"),
        Of("a comment", f => f.Header((string h) => "{/* x */" + h[1..]), "no valid JSON"),
        Of("NaN", f => f.Header(h => Once(h, "\"pt\"", "NaN")), "no valid JSON"),
        Of("a leading zero", f => f.Header(h => Once(h, "[0,", "[00,")), "no valid JSON"),
        Of("a plus sign", f => f.Header(h => Once(h, "[0,", "[+0,")), "no valid JSON"),
        Of("single quotes", f => f.Header(h => h.Replace('"', '\'')), "no valid JSON"),
        Of("two objects", f => f.Header(h => h.TrimEnd() + "{}"), "no valid JSON"),
        Of("padded with zeros", f => f.Header(h => h.TrimEnd() + "\0\0\0\0"), "no valid JSON"),
        Of("a byte-order mark", f => f.Header(h => "\uFEFF" + h), "no valid JSON"),
        Of("a line feed in a string", f => f.Header(h => Once(h, "\"pt\"", "\"p\nt\"")), "no valid JSON"),
        Of("of 128 levels", f => Nested(f, 128), "no valid JSON"),
        Of("of 100,000 levels", f => Nested(f, 100_000), "no valid JSON"),
        Of("cut in the middle", f => f.Header(h => h[..(h.Length / 2)]), "no valid JSON"),
        // The entries.
        Of(
            "metadata of numbers",
            f => f.Header(h => Once(h, "\"pt\"", "1")),
            "__metadata__",
            "an object of strings",
            "1 was"
        ),
        Of(
            "metadata of null",
            f => f.Header(h => Once(h, "\"pt\"", "null")),
            "__metadata__",
            "an object of strings",
            "null"
        ),
        Of("metadata of objects", f => f.Header(h => Once(h, "\"pt\"", "{}")), "__metadata__", "an object was found"),
        Of(
            "metadata as an array",
            f => f.Header(h => Once(h, "{\"format\":\"pt\"}", "[]")),
            "__metadata__",
            "an array was"
        ),
        Of(
            "metadata as a string",
            f => f.Header(h => Once(h, "{\"format\":\"pt\"}", "\"\"")),
            "__metadata__",
            "a string was"
        ),
        Of(
            "a metadata name twice",
            f => f.Header(h => Once(h, "\"pt\"", "\"pt\",\"format\":\"\"")),
            "'format' occurs twice"
        ),
        Of("a tensor twice", f => f.Header(h => Twice(f, h, f.Base.Norm)), "{T}", "listed twice"),
        Of(
            "a tensor twice, once by an escape",
            f => f.Header(h => Twice(f, h, Escaped(f.Base.Norm))),
            "{T}",
            "listed twice"
        ),
        Of("a tensor as a number", f => Tensor(f, "5"), "{T}", "should be an object, but 5 was found"),
        Of("a tensor as null", f => Tensor(f, "null"), "{T}", "should be an object, but null was found"),
        Of("a tensor as a string", f => Tensor(f, "\"BF16\""), "{T}", "should be an object, but a string was found"),
        Of(
            "a tensor as an array of two",
            f => Tensor(f, "[\"BF16\",[32]]"),
            "{T}",
            "data_offsets",
            "the end was found"
        ),
        Of("a tensor without fields", f => Tensor(f, "{}"), "{T}", "'dtype' is missing"),
        Of("one more tensor of a number", f => f.Header(h => "{\"x\":1," + h[1..]), "tensor 'x'", "1 was found"),
        Of("100,001 tensors", f => f.Header(h => Many(h, 100_001)), "more than 100000 tensors"),
        Of("no dtype", f => f.Entry("dtype", null), "{T}", "'dtype' is missing"),
        Of("dtype of no format", f => f.Entry("dtype", "\"BF17\""), "{T}", "'BF17' is no dtype of safetensors"),
        Of("dtype in small letters", f => f.Entry("dtype", "\"bf16\""), "{T}", "'bf16' is no dtype of safetensors"),
        Of("dtype of GGUF", f => f.Entry("dtype", "\"Q8_0\""), "{T}", "'Q8_0' is no dtype of safetensors"),
        Of("dtype of nothing", f => f.Entry("dtype", "\"\""), "{T}", "'' is no dtype of safetensors"),
        Of("dtype of a control character", f => f.Entry("dtype", "\"\\u0007\""), "{T}", "'\\u0007' is no dtype"),
        Of("dtype a number", f => f.Entry("dtype", "16"), "{T}", "dtype should be a string, but 16 was found"),
        Of("dtype null", f => f.Entry("dtype", "null"), "{T}", "dtype should be a string, but null was found"),
        Of("dtype twice", f => f.Entry("dtype", "\"BF16\",\"dtype\":\"F16\""), "{T}", "'dtype' occurs twice"),
        Of("dtype of half the bytes", f => f.Entry("dtype", "\"U8\""), "{T}", "takes 32 bytes", "span 64"),
        Of("dtype of twice the bytes", f => f.Entry("dtype", "\"F32\""), "{T}", "takes 128 bytes", "span 64"),
        Of(
            "dtype of the same bytes",
            f => f.Entry("dtype", "\"I16\""),
            "{T}",
            "should be BF16, F16 or F32 [32]",
            "I16 [32]"
        ),
        Of("dtype of 4 bits", f => Fields(f, "F4", "[31]"), "{T}", "does not fill whole bytes"),
        Of("no shape", f => f.Entry("shape", null), "{T}", "'shape' is missing"),
        Of("shape null", f => f.Entry("shape", "null"), "{T}", "shape should be an array of whole numbers", "null"),
        Of("shape a number", f => f.Entry("shape", "32"), "{T}", "shape should be an array of whole numbers", "32 was"),
        Of("shape a string", f => f.Entry("shape", "\"32\""), "{T}", "shape should be an array", "a string was"),
        Of(
            "shape of strings",
            f => f.Entry("shape", "[\"32\"]"),
            "{T}",
            "'shape' should hold whole numbers",
            "a string"
        ),
        Of("shape of arrays", f => f.Entry("shape", "[[32]]"), "{T}", "'shape' should hold whole numbers", "an array"),
        Of("shape negative", f => f.Entry("shape", "[-32]"), "{T}", "'shape' should hold whole numbers", "-32"),
        Of("shape two negatives", f => f.Entry("shape", "[-4,-8]"), "{T}", "'shape' should hold whole numbers", "-4"),
        Of("shape 32.0", f => f.Entry("shape", "[32.0]"), "{T}", "'shape' should hold whole numbers", "32.0"),
        Of("shape 3.2e1", f => f.Entry("shape", "[3.2e1]"), "{T}", "'shape' should hold whole numbers", "3.2e1"),
        Of(
            "shape 2^64",
            f => f.Entry("shape", "[18446744073709551616]"),
            "{T}",
            "from 0 to 2^64 - 1",
            "18446744073709551616"
        ),
        Of("shape 2^64 − 1", f => f.Entry("shape", "[18446744073709551615]"), "{T}", "size exceeds 64 bits"),
        Of("shape whose product is 2^64", f => f.Entry("shape", "[4294967296,4294967296]"), "{T}", "exceeds 64 bits"),
        Of(
            "shape whose product wraps to 64",
            f => f.Entry("shape", "[4194305,4194305,211106198978564]"),
            "{T}",
            "64 bits"
        ),
        Of("shape whose bits wrap", f => f.Entry("shape", "[2305843009213693952]"), "{T}", "size exceeds 64 bits"),
        Of("shape one less", f => f.Entry("shape", "[31]"), "{T}", "takes 62 bytes", "data_offsets span 64"),
        Of("shape one more", f => f.Entry("shape", "[33]"), "{T}", "takes 66 bytes", "data_offsets span 64"),
        Of("shape of 0", f => f.Entry("shape", "[0]"), "{T}", "takes 0 bytes", "data_offsets span 64"),
        Of("shape of no dimension", f => f.Entry("shape", "[]"), "{T}", "takes 2 bytes", "data_offsets span 64"),
        Of("shape of two dimensions", f => f.Entry("shape", "[4,8]"), "{T}", "F32 [32] but is BF16 [4, 8]"),
        Of("shape with a dimension of 1", f => f.Entry("shape", "[32,1]"), "{T}", "F32 [32] but is BF16 [32, 1]"),
        Of("no offsets", f => f.Entry("data_offsets", null), "{T}", "'data_offsets' is missing"),
        Of(
            "offsets null",
            f => f.Entry("data_offsets", "null"),
            "{T}",
            "data_offsets should be an array of two",
            "null"
        ),
        Of(
            "one offset",
            f => f.Entry("data_offsets", "[64]"),
            "{T}",
            "'data_offsets' should hold whole numbers",
            "the end"
        ),
        Of(
            "three offsets",
            f => f.Entry("data_offsets", "[0,64,64]"),
            "{T}",
            "an array of two whole numbers",
            "64 was"
        ),
        Of(
            "offsets of strings",
            f => f.Entry("data_offsets", "[\"0\",\"64\"]"),
            "{T}",
            "should hold whole numbers",
            "a string"
        ),
        Of(
            "offsets of fractions",
            f => f.Entry("data_offsets", "[0.0,64.0]"),
            "{T}",
            "should hold whole numbers",
            "0.0"
        ),
        Of("offset negative", f => f.Entry("data_offsets", "[-64,0]"), "{T}", "should hold whole numbers", "-64"),
        Of("offsets swapped", f => Offsets(f, (a, b) => (b, a)), "{T}", "which end before they begin"),
        Of("offsets of nothing", f => Offsets(f, (a, _) => (a, a)), "{T}", "takes 64 bytes", "span 0"),
        Of("offsets one early", f => Offsets(f, (a, b) => (a - 1, b - 1)), "{W}", "data_offsets", "should begin at"),
        Of("offsets one late", f => Offsets(f, (a, b) => (a + 1, b + 1)), "{W}", "data_offsets", "should begin at"),
        Of("offsets too wide", f => Offsets(f, (a, b) => (a, b + 1)), "{T}", "takes 64 bytes", "span 65"),
        Of(
            "offsets behind the file",
            f => Offsets(f, (a, b) => (a + (1 << 30), b + (1 << 30))),
            "{T}",
            "should end",
            "only"
        ),
        Of(
            "offsets at 2^63",
            f => f.Entry("data_offsets", "[9223372036854775744,9223372036854775808]"),
            "{T}",
            "should end"
        ),
        Of(
            "offsets at 2^64",
            f => f.Entry("data_offsets", "[18446744073709551551,18446744073709551615]"),
            "{T}",
            "only"
        ),
        Of("offsets that are another's", f => Offsets(f, (_, _) => (0, 64)), "{W}", "data_offsets"),
        Of(
            "the first not at the beginning",
            f => f.Header(Shifted),
            f => f.Bytes(b => [.. b, 0, 0, 0, 0]),
            "should begin at 0, for it is the first"
        ),
        // The data.
        Of("a byte too many", f => f.Bytes(file => [.. file, 0]), "should end with the file, but leave over 1 bytes"),
        Of("another file behind", f => f.Bytes(file => [.. file, .. file]), "should end with the file, but leave over"),
        Of("a byte too few", f => f.Bytes(file => file[..^1]), "tensor '", "should end", "the file is cut off"),
        Of("half of the file", f => f.Bytes(file => file[..(file.Length / 2)]), "tensor '", "the file is cut off"),
        Of(
            "nothing behind the header",
            f => f.Bytes(file => file[..(8 + BitConverter.ToInt32(file))]),
            "only 0 follow"
        ),
        Of("a byte lost in front", f => f.Bytes(file => file[1..]), "claims"),
        Of("a line feed more in front", f => f.Bytes(file => [(byte)'\n', .. file]), "claims"),
    ];

    public static IEnumerable<OddCase> All =>
        from layout in (OddBase[])[OddBase.HuggingFace, OddBase.Original]
        from one in Table
        select new OddCase($"header, {layout.Name}: {one.Name}", layout, one.Make, ["{W}", .. one.Words]);

    private static (string, Action<OddFolder>, string[]) Of(
        string name,
        Action<OddFolder> make,
        params string[] words
    ) => (name, make, words);

    private static (string, Action<OddFolder>, string[]) Of(
        string name,
        Action<OddFolder> first,
        Action<OddFolder> then,
        params string[] words
    ) => (name, first + then, words);

    private static long FileLength(OddFolder f) => new FileInfo(f.At(f.Base.Weights)).Length;

    private static string Once(string text, string from, string to)
    {
        int at = text.IndexOf(from, StringComparison.Ordinal);
        Assert.True(at >= 0, $"no {from} in the header");
        return text[..at] + to + text[(at + from.Length)..];
    }

    private static byte[] Replaced(byte[] text, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
    {
        int at = text.AsSpan().IndexOf(from);
        return [.. text.AsSpan(0, at), .. to, .. text.AsSpan(at + from.Length)];
    }

    private static void Tensor(OddFolder f, string value) =>
        f.Header(h => OddFolder.WithField(h, [f.Base.Norm], value));

    private static void Fields(OddFolder f, string dtype, string shape)
    {
        f.Entry("dtype", $"\"{dtype}\"");
        f.Entry("shape", shape);
    }

    private static void Offsets(OddFolder f, Func<long, long, (long, long)> change) =>
        f.Header(h =>
        {
            using var json = System.Text.Json.JsonDocument.Parse(h);
            var old = json.RootElement.GetProperty(f.Base.Norm).GetProperty("data_offsets");
            (long begin, long end) = change(old[0].GetInt64(), old[1].GetInt64());
            return OddFolder.WithField(h, [f.Base.Norm, "data_offsets"], $"[{begin},{end}]");
        });

    private static string Twice(OddFolder f, string header, string name)
    {
        using var json = System.Text.Json.JsonDocument.Parse(header);
        return $"{{\"{name}\":{json.RootElement.GetProperty(f.Base.Norm).GetRawText()},{header[1..]}";
    }

    private static string Escaped(string name) => $"\\u{(int)name[0]:x4}{name[1..]}";

    private static void Nested(OddFolder f, int levels) =>
        f.Entry("x", new string('[', levels) + new string(']', levels));

    private static string Many(string header, int count)
    {
        var many = new StringBuilder("{");
        for (int i = 0; i < count; i++)
            many.Append(null, $"\"t{i}\":{{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}},");
        return many.Append(header.AsSpan(1)).ToString();
    }

    // Every tensor four bytes later, so that there is a hole in front of the first.
    private static string Shifted(string header)
    {
        System.Text.Json.Nodes.JsonObject root = System.Text.Json.Nodes.JsonNode.Parse(header)!.AsObject();
        foreach ((string name, System.Text.Json.Nodes.JsonNode? entry) in root)
        {
            if (name == "__metadata__")
                continue;
            System.Text.Json.Nodes.JsonArray offsets = entry!["data_offsets"]!.AsArray();
            for (int i = 0; i < 2; i++)
                offsets[i] = (long)offsets[i]! + 4;
        }
        return root.ToJsonString();
    }
}
