using System.Buffers.Binary;
using System.Diagnostics;
using GptOss.Tests.Fuzzing;
using GptOss.Tests.Fuzzing.Inputs;
using GptOss.Tests.Oracles;

namespace GptOss.Tests;

/// <summary>A sound model folder, and seeded ways to damage a copy of it.</summary>
internal sealed class DamagedFolder
{
    /// <summary>As small as a model can be, in two files.</summary>
    public static readonly TinyShape Shape = new()
    {
        HiddenSize = 32,
        IntermediateSize = 32,
        HeadDim = 16,
        NumLocalExperts = 2,
        ExpertsPerToken = 2,
        VocabSize = 64,
        Shards = 2,
    };

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
            0 or 1 => Change(folder, json, bytes => JsonDamage.Damage(bytes, random)),
            2 => Change(folder, json, bytes => ByteDamage.Damage(bytes, random)),
            3 or 4 => Change(folder, weights, bytes =>
                HeaderInput.WithJson(bytes, header => JsonDamage.Damage(header, random))
            ),
            5 => Change(folder, weights, bytes =>
                random.Next(2) == 0
                    ? ChangeLength(bytes, random)
                    : HeaderInput.WithJson(bytes, header => ByteDamage.Damage(header, random))
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

    private static byte[] ChangeLength(byte[] file, Random random)
    {
        byte[] changed = [.. file];
        long length = BinaryPrimitives.ReadInt64LittleEndian(file);
        long[] lengths = [length - 1, length + 1, length + 8, file.Length, .. EdgeValues.Numbers];
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
