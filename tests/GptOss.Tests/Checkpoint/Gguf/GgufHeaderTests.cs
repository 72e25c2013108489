using System.Diagnostics;
using GptOss.Checkpoint.Gguf;

namespace GptOss.Tests.Checkpoint.Gguf;

/// <summary>
/// The head alone: where it is cut it is refused, and long arrays cost no memory. <c>FuzzTests</c> damages it.
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

    private static GgufHeader Read(byte[] bytes) =>
        GgufHeader.Read(
            new GgufReader("fuzz.gguf", bytes.Length, (position, destination) =>
                bytes.AsSpan((int)position, destination.Length).CopyTo(destination)
            )
        );
}
