using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using GptOss.Tests.Oracles;

namespace GptOss.Tests;

/// <summary>A sound model folder, and seeded ways to damage a copy of it.</summary>
internal sealed class DamagedFolder
{
    private static readonly TinyShape Shape = new()
    {
        HiddenSize = 32,
        IntermediateSize = 32,
        HeadDim = 16,
        NumLocalExperts = 2,
        ExpertsPerToken = 2,
        VocabSize = 64,
        Shards = 2,
    };

    /// <summary>What a reader of sizes, counts and kinds may not have thought of.</summary>
    private static readonly string[] EdgeValues =
    [
        "0",
        "-1",
        "1",
        "2",
        "3",
        "7",
        "63",
        "65",
        "255",
        "65536",
        "2147483647",
        "2147483648",
        "-2147483649",
        "4294967296",
        "9223372036854775807",
        "18446744073709551615",
        "99999999999999999999999",
        "1e308",
        "1e999",
        "-0",
        "0.5",
        "1e-320",
        "null",
        "true",
        "\"\"",
        "\"x\"",
        "[]",
        "{}",
        "[[]]",
        "[0,0]",
        "\"\\u0000\"",
        "\"../../etc/passwd\"",
        "\"NaN\"",
        "[1,2,3,4,5,6,7,8,9]",
        "\"BF16\"",
        "\"F64\"",
        "\"sliding_attention\"",
        "\"mxfp4\"",
    ];

    private readonly Dictionary<string, byte[]> _sound = [];
    private readonly string[] _weights;

    public DamagedFolder()
    {
        using var folder = new TemporaryFolder();
        TinyCheckpoint.Write(folder.Path, Shape, seed: 1);
        foreach (string path in Directory.EnumerateFiles(folder.Path))
            _sound.Add(Path.GetFileName(path), File.ReadAllBytes(path));
        _weights =
        [
            .. _sound
                .Keys.Where(name => name.EndsWith(".safetensors", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal),
        ];
    }

    private static string[] JsonNames => ["config.json", "model.safetensors.index.json", "generation_config.json"];

    /// <summary>Writes the folder with the damage of a seed, and says what it is.</summary>
    public string Write(string folder, int seed)
    {
        foreach ((string name, byte[] bytes) in _sound)
            File.WriteAllBytes(Path.Combine(folder, name), bytes);
        var random = new Random(seed);
        string json = JsonNames[random.Next(JsonNames.Length)],
            weights = _weights[random.Next(_weights.Length)];
        return (seed % 8) switch
        {
            0 or 1 => Change(folder, json, bytes => ChangeField(bytes, random)),
            2 => Change(folder, json, bytes => ChangeBytes(bytes, random)),
            3 or 4 => Change(folder, weights, bytes => WithHeader(bytes, header => ChangeField(header, random))),
            5 => Change(folder, weights, bytes =>
                random.Next(2) == 0
                    ? ChangeLength(bytes, random)
                    : WithHeader(bytes, header => ChangeBytes(header, random))
            ),
            6 => Change(folder, weights, bytes => ChangeData(bytes, random)),
            _ => ChangeFiles(folder, random.Next(2) == 0 ? json : weights, random),
        };
    }

    private static string Change(string folder, string name, Func<byte[], byte[]> change)
    {
        string path = Path.Combine(folder, name);
        File.WriteAllBytes(path, change(File.ReadAllBytes(path)));
        return $"changed {name}";
    }

    /// <summary>One place of the JSON gets another value, goes, or comes twice.</summary>
    private static byte[] ChangeField(byte[] bytes, Random random)
    {
        JsonNode root = JsonNode.Parse(bytes)!;
        var places = new List<JsonNode>();
        Collect(root);
        JsonNode chosen = places[random.Next(places.Count)];
        string value = EdgeValues[random.Next(EdgeValues.Length)];
        // Values that no JSON tree can hold are put in as text.
        const string Mark = "@place@";
        switch (random.Next(6))
        {
            case 0 when chosen.Parent is JsonObject parent:
                parent.Remove(chosen.GetPropertyName());
                break;
            case 1 when chosen.Parent is JsonObject parent:
                parent.Add(Mark, chosen.DeepClone());
                return Encoding.UTF8.GetBytes(
                    root.ToJsonString().Replace(Mark, chosen.GetPropertyName(), StringComparison.Ordinal)
                );
            default:
                chosen.ReplaceWith(Mark);
                break;
        }
        return Encoding.UTF8.GetBytes(root.ToJsonString().Replace($"\"{Mark}\"", value, StringComparison.Ordinal));

        void Collect(JsonNode? node)
        {
            if (node is null)
                return;
            if (node.Parent is not null)
                places.Add(node);
            if (node is JsonObject fields)
                foreach ((_, JsonNode? child) in fields)
                    Collect(child);
            else if (node is JsonArray items)
                foreach (JsonNode? child in items)
                    Collect(child);
        }
    }

    private static byte[] ChangeBytes(byte[] bytes, Random random)
    {
        byte[] changed = [.. bytes];
        int at = random.Next(bytes.Length),
            count = random.Next(1, 40);
        switch (random.Next(5))
        {
            case 0:
                return bytes[..at];
            case 1:
                changed[at] ^= (byte)(1 << random.Next(8));
                return changed;
            case 2:
                random.NextBytes(changed.AsSpan(at, Math.Min(count, bytes.Length - at)));
                return changed;
            case 3:
                return [.. bytes[..at], .. bytes[random.Next(bytes.Length)..]];
            default:
                return [.. bytes[..at], .. Encoding.UTF8.GetBytes(new string('[', 5000)), .. bytes[at..]];
        }
    }

    private static byte[] WithHeader(byte[] file, Func<byte[], byte[]> change)
    {
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        byte[] header = change(file[8..(8 + length)]),
            start = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(start, header.Length);
        return [.. start, .. header, .. file[(8 + length)..]];
    }

    private static byte[] ChangeLength(byte[] file, Random random)
    {
        byte[] changed = [.. file];
        long length = BinaryPrimitives.ReadInt64LittleEndian(file);
        long[] lengths =
        [
            0,
            1,
            length - 1,
            length + 1,
            length + 8,
            file.Length,
            100_000_000,
            100_000_001,
            int.MaxValue,
            long.MaxValue,
            -1,
            long.MinValue,
        ];
        BinaryPrimitives.WriteInt64LittleEndian(changed, lengths[random.Next(lengths.Length)]);
        return changed;
    }

    /// <summary>Damaged values, or too few or too many of them.</summary>
    private static byte[] ChangeData(byte[] file, Random random)
    {
        byte[] changed = [.. file];
        int start = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(file),
            at = random.Next(start, file.Length - 64);
        switch (random.Next(4))
        {
            case 0:
                return file[..random.Next(file.Length)];
            case 1:
                return [.. file, .. new byte[random.Next(1, 100)]];
            case 2:
                changed.AsSpan(at, 64).Fill(0xFF);
                return changed;
            default:
                random.NextBytes(changed.AsSpan(at, 64));
                return changed;
        }
    }

    private static string ChangeFiles(string folder, string name, Random random)
    {
        string path = Path.Combine(folder, name),
            other = Path.Combine(folder, "other");
        File.Move(path, other);
        switch (random.Next(9))
        {
            case 0:
                return $"no {name}";
            case 1:
                Directory.CreateDirectory(path);
                return $"{name} is a folder";
            case 2:
                File.WriteAllBytes(path, []);
                return $"{name} is empty";
            case 3:
                File.CreateSymbolicLink(path, other);
                return $"{name} is a link to the file";
            case 4:
                File.CreateSymbolicLink(path, path);
                return $"{name} is a link to itself";
            case 5:
                File.CreateSymbolicLink(path, Path.Combine(folder, "gone"));
                return $"{name} is a link to nothing";
            case 6 when !OperatingSystem.IsWindows():
                File.CreateSymbolicLink(path, "/dev/zero");
                return $"{name} is a device";
            case 7 when !OperatingSystem.IsWindows():
                using (var made = Process.Start("mkfifo", [path]))
                    made.WaitForExit();
                return $"{name} is a FIFO";
            default:
                File.CreateSymbolicLink(path, folder);
                return $"{name} is a link to a folder";
        }
    }
}
