using System.Buffers.Binary;

namespace GptOss.Tests.Fuzzing;

/// <summary>Damages bytes of any meaning: bits, numbers, pieces taken out, doubled, moved, exchanged.</summary>
internal static class ByteDamage
{
    /// <summary>The bytes with one damage within the first <paramref name="within"/> of them.</summary>
    public static byte[] Damage(byte[] bytes, Random random, int within = int.MaxValue)
    {
        within = Math.Min(within, bytes.Length);
        if (within == 0)
            return [(byte)random.Next(256)];
        byte[] changed = [.. bytes];
        int at = random.Next(within),
            count = Math.Min(1 << random.Next(10), within - at);
        switch (random.Next(9))
        {
            case 0:
                changed[at] ^= (byte)(1 << random.Next(8));
                return changed;
            case 1:
                changed[at] = (byte)(
                    random.Next(3) switch
                    {
                        0 => 0,
                        1 => 255,
                        _ => random.Next(256),
                    }
                );
                return changed;
            case 2:
                Number(changed.AsSpan(at), random);
                return changed;
            case 3:
                random.NextBytes(changed.AsSpan(at, Math.Min(count, 40)));
                return changed;
            case 4:
                return bytes[..at];
            case 5: // taken out
                return [.. bytes[..at], .. bytes[(at + count)..]];
            case 6: // doubled
                return [.. bytes[..(at + count)], .. bytes[at..]];
            case 7: // a piece from elsewhere
                int from = random.Next(bytes.Length);
                return [.. bytes[..at], .. bytes[from..Math.Min(bytes.Length, from + count)], .. bytes[at..]];
            default: // a piece over another
                bytes.AsSpan(random.Next(bytes.Length - count + 1), count).CopyTo(changed.AsSpan(at));
                return changed;
        }
    }

    /// <summary>Puts an edge value or a neighbour of what is there into the beginning.</summary>
    private static void Number(Span<byte> at, Random random)
    {
        Span<byte> value = stackalloc byte[8];
        long number = EdgeValues.Numbers[random.Next(EdgeValues.Numbers.Length)];
        int width = Math.Min(at.Length, 1 << random.Next(4));
        if (random.Next(3) == 0)
        {
            value.Clear();
            at[..width].CopyTo(value);
            number = BinaryPrimitives.ReadInt64LittleEndian(value) + random.Next(-2, 3);
        }
        BinaryPrimitives.WriteInt64LittleEndian(value, number);
        value[..width].CopyTo(at);
    }
}
