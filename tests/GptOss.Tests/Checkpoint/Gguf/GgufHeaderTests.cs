using System.Diagnostics;
using GptOss.Checkpoint.Gguf;

namespace GptOss.Tests.Checkpoint.Gguf;

/// <summary>
/// The head alone: damage of every kind gives an error of the known type, and long arrays cost no memory.
/// </summary>
public sealed class GgufHeaderTests
{
    private static readonly byte[] Bare = File.ReadAllBytes(GgufVectors.PathOf("A-bare.gguf"));
    private static readonly int HeadBytes = (int)Read(Bare).Bytes;

    [Fact]
    [Promise(5)]
    public void A_head_cut_at_any_byte_is_refused()
    {
        for (int bytes = 0; bytes < HeadBytes; bytes++)
            Assert.Throws<CheckpointException>(() => Read(Bare[..bytes]));
        Figure.Tell($"{HeadBytes:N0} truncations of a GGUF head, {HeadBytes:N0} refused");
    }

    [Fact, Trait("kind", "fuzz")]
    public void A_mutated_head_is_read_or_refused()
    {
        int read = 0;
        foreach (int seed in FuzzBudget.Seeds(atLeast: 3000))
        {
            var random = new Random(seed);
            byte[] bytes = [.. Bare];
            for (int i = random.Next(1, 6); i > 0; i--)
            {
                int at = random.Next(HeadBytes);
                bytes[at] = random.Next(3) switch
                {
                    0 => (byte)random.Next(256),
                    1 => (byte)(bytes[at] ^ 1 << random.Next(8)),
                    _ => random.Next(2) == 0 ? (byte)0 : (byte)255,
                };
            }
            if (random.Next(4) == 0)
                bytes = bytes[..random.Next(bytes.Length)];
            read += Reads(bytes, seed) ? 1 : 0;
        }
        Assert.InRange(read, 100, 2500); // the mutations are neither all harmless nor all noticed
    }

    [Fact, Trait("kind", "fuzz")]
    public void A_random_head_is_refused()
    {
        foreach (int seed in FuzzBudget.Seeds(atLeast: 1000))
        {
            var random = new Random(seed);
            byte[] bytes = new byte[random.Next(24, 2000)];
            random.NextBytes(bytes);
            // A beginning that goes further the more of it is sound.
            byte[] start =
            [
                .. "GGUF"u8,
                .. GgufParts.Number(3, 4),
                .. GgufParts.Number((ulong)random.Next(20), 8),
                .. GgufParts.Number((ulong)random.Next(20), 8),
            ];
            start.AsSpan(0, random.Next(4) == 0 ? random.Next(start.Length) : start.Length).CopyTo(bytes);
            if (random.Next(2) == 0)
                for (int at = 24; at + 12 < bytes.Length; at += random.Next(12, 40))
                    GgufParts.Number((ulong)random.Next(1, 14), 8).CopyTo(bytes.AsSpan(at));
            Reads(bytes, seed);
        }
    }

    [Fact]
    public void A_head_of_13_MB_with_a_whole_tokenizer_opens_at_once_and_keeps_none_of_it()
    {
        var file = GgufParts.Read(GgufVectors.PathOf("A-bare.gguf"));
        file.Keys.Add(Strings("tokenizer.ggml.tokens", 201_088, "token"));
        file.Keys.Add(Strings("tokenizer.ggml.merges", 446_189, "ab cd"));
        using var folder = new TemporaryFolder();
        string path = Path.Join(folder.Path, "whole.gguf");
        File.WriteAllBytes(path, file.Bytes());
        Open(); // the first time compiles

        double best = double.MaxValue;
        for (int i = 0; i < 5; i++)
        {
            long start = Stopwatch.GetTimestamp();
            Open();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
        Figure.Tell($"{best:f1} ms");
        Assert.InRange(best, 0, 50);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Open();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);

        void Open() => GgufCheckpoint.Open(path).Dispose();
    }

    private static GgufKey Strings(string name, int count, string text)
    {
        var value = new List<byte>();
        value.AddRange(GgufParts.Number(GgufParts.String, 4));
        value.AddRange(GgufParts.Number((ulong)count, 8));
        for (int i = 0; i < count; i++)
            value.AddRange(GgufParts.String8(text + i));
        return new GgufKey(name, GgufParts.Array, [.. value]);
    }

    // Whether the bytes are a sound head; anything but a refusal of the known type fails, and so does much memory.
    private static bool Reads(byte[] bytes, int seed)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        bool sound = true;
        try
        {
            Read(bytes);
        }
        catch (CheckpointException)
        {
            sound = false;
        }
        catch (Exception e)
        {
            Assert.Fail($"Seed {seed}: {e}");
        }
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated < 1 << 20, $"Seed {seed}: {allocated} bytes were allocated.");
        return sound;
    }

    private static GgufHeader Read(byte[] bytes) =>
        GgufHeader.Read(
            new GgufReader("fuzz.gguf", bytes.Length, (position, destination) =>
                bytes.AsSpan((int)position, destination.Length).CopyTo(destination)
            )
        );
}
