using System.Runtime.InteropServices;

namespace GptOss.Peers;

/// <summary>Writes a GGUF file of the 20b shape with random weights, for speed only.</summary>
internal static class RandomGguf
{
    // Whole blocks of either format, and small beside any model.
    private const int PieceBytes = 17 * 34 * 4 * 4096;

    /// <summary>Writes the file, or leaves the one that is there.</summary>
    /// <exception cref="IOException">The disk has too little room, or the file cannot be written.</exception>
    public static void Write(string file, int layers)
    {
        if (layers is < 1 or > Shape.AllLayers)
            throw new InvalidOperationException($"The 20b shape has 1 to {Shape.AllLayers} layers, not {layers}.");
        if (File.Exists(file))
            return;
        List<GgufTensor> tensors = Shape.Tensors(layers);
        byte[] header = Shape.Header(layers).ToBytes(tensors);
        long bytes = header.Length + tensors.Sum(tensor => GgufHeader.Aligned(tensor.Bytes));
        string folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        long free = new DriveInfo(folder).AvailableFreeSpace;
        if (bytes > free)
            throw new IOException(
                $"The GGUF takes {bytes / 1e9:F1} GB, and the disk of {folder} has {free / 1e9:F1} GB free."
            );

        // A file under its final name is whole: an interrupted run leaves only the other.
        string unfinished = file + ".part";
        using (var stream = new FileStream(unfinished, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20))
        {
            stream.Write(header);
            var random = new SplitMix(1);
            byte[] piece = new byte[PieceBytes];
            foreach (GgufTensor tensor in tensors)
                Write(stream, tensor, piece, ref random);
        }
        File.Move(unfinished, file);
    }

    private static void Write(FileStream stream, GgufTensor tensor, byte[] piece, ref SplitMix random)
    {
        for (long left = tensor.Bytes; left > 0; )
        {
            Span<byte> bytes = piece.AsSpan(0, (int)Math.Min(left, piece.Length));
            if (tensor.Type == GgufType.Float32)
                FillFloats(bytes, tensor, ref random);
            else
                FillBlocks(bytes, tensor.Type, ref random);
            stream.Write(bytes);
            left -= bytes.Length;
        }
        stream.Write(new byte[GgufHeader.Aligned(tensor.Bytes) - tensor.Bytes]);
    }

    /// <summary>Small values, so that activations stay finite; a norm's lie around 1.</summary>
    private static void FillFloats(Span<byte> bytes, GgufTensor tensor, ref SplitMix random)
    {
        float centre = tensor.Name.Contains("norm", StringComparison.Ordinal) ? 1 : 0;
        float most = tensor.Dimensions.Length > 1 ? 0.035f : 0.17f; // deviations of 0.02 and 0.1
        foreach (ref float value in MemoryMarshal.Cast<byte, float>(bytes))
            value = centre + most * ((random.Next() >> 40) * (2f / (1 << 24)) - 1);
    }

    private static void FillBlocks(Span<byte> bytes, GgufType type, ref SplitMix random)
    {
        foreach (ref ulong word in MemoryMarshal.Cast<byte, ulong>(bytes))
            word = random.Next();
        if (type == GgufType.Q8Block)
        {
            Half scale = (Half)(0.02f / 74); // 74 is the deviation of a random signed byte
            for (int at = 0; at < bytes.Length; at += 34)
                MemoryMarshal.Write(bytes[at..], scale);
        }
        else
            for (int at = 0; at < bytes.Length; at += 17)
                bytes[at] = (byte)(119 + bytes[at] % 3); // 2^-8 to 2^-6
    }

    /// <summary>
    /// SplitMix64: the same weights in every run, at the speed of the disk, which <see cref="Random"/> with a seed is
    /// not.
    /// </summary>
    private struct SplitMix(ulong state)
    {
        public ulong Next()
        {
            ulong z = state += 0x9E37_79B9_7F4A_7C15;
            z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
            z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
            return z ^ (z >> 31);
        }
    }
}
