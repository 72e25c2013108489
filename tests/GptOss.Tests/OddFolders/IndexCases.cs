namespace GptOss.Tests.OddFolders;

/// <summary>The index of the shards: names that lead elsewhere, shards that are missing, twice or others.</summary>
internal static class IndexCases
{
    private const string Index = "model.safetensors.index.json",
        First = "model-00000-of-00002.safetensors",
        Last = "model-00002-of-00002.safetensors",
        Norm = "model.norm.weight";

    private static readonly (string Name, string Value)[] Elsewhere =
    [
        ("in the folder above", $"../{First}"),
        ("beside the folder", $"../outside/{First}"),
        ("by its full path", $"{{Outside}}/{First}"),
        ("through a folder that is not there", $"x/../../outside/{First}"),
        ("through the folder itself", $"./{First}"),
        ("in a subfolder", $"sub/{First}"),
        ("beside, for Windows", $"..\\outside\\{First}"),
        ("on a drive", $"C:{First}"),
        ("on another machine", $"\\\\host\\share\\{First}"),
        ("as an address", $"file:///{First}"),
        ("behind a zero", $"{First}\0"),
        ("of two dots", ".."),
        ("of one dot", "."),
        ("of nothing", ""),
        ("of a slash", "/"),
        ("of a device", "/dev/zero"),
        ("of memory", "/proc/self/mem"),
        ("with a line feed", $"a\n{First}"),
        ("that is too long", new string('x', 300) + ".safetensors"),
    ];

    public static IEnumerable<OddCase> All =>
        [
            .. Elsewhere.Select(place =>
                Of(
                    $"a shard {place.Name}",
                    f => Named(f, Norm, place.Value),
                    $"field 'weight_map.{Norm}'",
                    "expected the name of a file in the model folder, found '"
                )
            ),
            .. Elsewhere
                .Take(3)
                .Select(place =>
                    Of(
                        $"every shard {place.Name}",
                        f =>
                            f.Text(Index, text =>
                                text.Replace(First, Filled(f, place.Value), StringComparison.Ordinal)
                            ),
                        "field 'weight_map.",
                        "expected the name of a file in the model folder, found '"
                    )
                ),
            Of("empty", f => f.Write(Index, ""), "has 0 bytes"),
            Of("of one brace", f => f.Write(Index, "{"), "has 1 byte"),
            Of("an array", f => f.Write(Index, "[]"), "expected a JSON object, found an array"),
            Of("null", f => f.Write(Index, "null"), "expected a JSON object, found null"),
            Of("without weight_map", f => f.Remove(Index, "weight_map"), "'weight_map'", "an object, found nothing"),
            Of("weight_map null", f => f.Set(Index, "weight_map", "null"), "'weight_map'", "an object, found null"),
            Of(
                "weight_map an array",
                f => f.Set(Index, "weight_map", "[]"),
                "'weight_map'",
                "an object, found an array"
            ),
            Of(
                "weight_map empty",
                f => f.Set(Index, "weight_map", "{}"),
                "'weight_map'",
                "at least one tensor, found none"
            ),
            Of("weight_map twice", f => f.Set(Index, "weight_map", "{},\"weight_map\":{}"), "once, found twice"),
            Of("a tensor twice", f => Raw(f, $"\"{First}\",\"{Norm}\":\"{First}\""), Norm, "once, found twice"),
            Of("a shard as a number", f => Raw(f, "1"), Norm, "a string, found 1"),
            Of("a shard as null", f => Raw(f, "null"), Norm, "a string, found null"),
            Of("a shard as an array", f => Raw(f, $"[\"{First}\"]"), Norm, "a string, found an array"),
            Of("half a surrogate in a name", f => Raw(f, "\"\\ud800\""), "not Unicode text"),
            Of("cut off", f => f.Text(Index, text => text[..(text.Length / 2)]), "JSON", "an error in line 1"),
            Of("of 70 levels", f => f.Set(Index, "metadata", Brackets(70)), "JSON of at most 64 levels"),
            Of("of 100,000 levels", f => f.Set(Index, "metadata", Brackets(100_000)), "JSON of at most 64 levels"),
            Of("of 17 MB", f => f.Text(Index, text => text + new string(' ', 17 << 20)), "at most 16777216"),
            Of("a pointer of Git LFS", f => f.Write(Index, Pointer), "Git LFS pointer", "git lfs pull"),
            Of("a page", f => f.Write(Index, "<!DOCTYPE html><html></html>"), "a web page"),
            Of("an error of a server", f => f.Write(Index, "{\"error\": \"x\"}"), "an error that a server sent"),
            Other("the first shard missing", f => f.Delete(First), First, "does not exist. Is the download complete?"),
            Other("the last shard missing", f => f.Delete(Last), "does not exist"),
            Other("a shard of another name", f => f.Rename(First, "other.safetensors"), First, "does not exist"),
            Other(
                "a shard with a capital",
                f => f.Rename(First, "Model-00000-of-00002.safetensors"),
                First,
                "not exist"
            ),
            Other(
                "a shard twice",
                f => Copy(f, First),
                "tensor 'model.layers.0.",
                "should be in one file, but is also in '",
                First
            ),
            Other("a shard that is a folder", Folder, First, "is a folder, but should be a file"),
            Other("a shard that is empty", f => f.Write(First, ""), First, "has 0 bytes, but should have at least 8"),
            Other("a shard that is a pointer", f => f.Write(First, Pointer), First, "Git LFS pointer"),
            Other("a shard that is the index", f => Raw(f, $"\"{Index}\""), Index, "where weights belong"),
            Other("a shard that is the config", f => Raw(f, "\"config.json\""), "config.json"),
            Other("a tensor in no shard", f => Renamed(f), Norm, "should be in this file by model.safetensors.index"),
            Other(
                "a tensor left out",
                f => f.Remove(Index, "weight_map", Norm),
                ".safetensors",
                Norm,
                "should be listed by model.safetensors.index.json"
            ),
            Other(
                "a tensor in another shard",
                f => Raw(f, $"\"{Last}\""),
                First,
                Norm,
                "should be in",
                Last,
                "two downloads"
            ),
            Other(
                "no index and a shard missing",
                WithoutIndex,
                "holds 2 files of the series",
                "which has 3",
                "number 1"
            ),
            Other("no index and digits of another script", Digits, "'model-٠٠٠٠", "no series"),
            // Joined to the folder the name is one plain file, which is there.
            new("index: of the single file too", OddBase.HuggingFace, f => f.Write(Index, Single(f))),
        ];

    private const string Pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 99\n";

    private static OddCase Of(string name, Action<OddFolder> make, params string[] words) =>
        Other(name, make, [Index, .. words]);

    private static OddCase Other(string name, Action<OddFolder> make, params string[] words) =>
        new($"index: {name}", OddBase.Shards, make, words);

    private static string Brackets(int levels) => new string('[', levels) + new string(']', levels);

    private static void Raw(OddFolder f, string value) => f.Set(Index, ["weight_map", Norm], value);

    private static string Filled(OddFolder f, string value) =>
        value.Replace("{Outside}", f.Outside, StringComparison.Ordinal);

    // Whatever the name leads to is there and sound, so that only the name can be refused.
    private static void Named(OddFolder f, string tensor, string value)
    {
        Directory.CreateDirectory(f.At("sub"));
        foreach (string place in (string[])[f.Place, f.Outside, f.At("sub")])
            File.Copy(f.At(First), Path.Join(place, First));
        f.Set(Index, ["weight_map", tensor], System.Text.Json.JsonSerializer.Serialize(Filled(f, value)));
    }

    private static void Copy(OddFolder f, string name) =>
        File.Copy(f.At(name), f.At("model-00001-of-00002.safetensors"), overwrite: true);

    private static void Folder(OddFolder f)
    {
        f.Delete(First);
        Directory.CreateDirectory(f.At(First));
    }

    private static void Renamed(OddFolder f)
    {
        foreach (string shard in Directory.GetFiles(Path.GetDirectoryName(f.At(First))!, "model-*.safetensors"))
            f.Bytes(shard, file => Replaced(file, "model.norm.weight"u8, "model.morn.weight"u8));
    }

    private static byte[] Replaced(byte[] file, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
    {
        if (file.AsSpan().IndexOf(from) is >= 0 and var at)
            to.CopyTo(file.AsSpan(at));
        return file;
    }

    private static void WithoutIndex(OddFolder f)
    {
        f.Delete(Index);
        f.Delete("model-00001-of-00002.safetensors");
    }

    private static void Digits(OddFolder f)
    {
        f.Delete(Index);
        foreach (int number in (int[])[0, 1, 2])
            f.Rename(
                $"model-0000{number}-of-00002.safetensors",
                $"model-٠٠٠٠{(char)('٠' + number)}-of-٠٠٠٠٢.safetensors"
            );
    }

    private static string Single(OddFolder f) =>
        $"{{\"weight_map\":{{{string.Join(
            ',',
            SafetensorsReader.Read(f.At(f.Base.Weights)).Keys.Select(name => $"\"{name}\":\"{f.Base.Weights}\"")
        )}}}}}";
}
