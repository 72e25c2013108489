using System.Buffers.Binary;
using System.Numerics;

namespace GptOss.Tokenization;

/// <summary>
/// Finds the token that stands for exactly these bytes: bytes → id, a hash table with open addressing over
/// <see cref="TokenBytes"/>.
/// </summary>
/// <remarks>
/// A slot holds the upper half of the hash and <c>id + 1</c>, so a miss seldom touches the token's bytes. The hash
/// starts from a number drawn per table: a file cannot be made so that its tokens collide. Immutable.
/// </remarks>
internal sealed class TokenIndex
{
    private readonly TokenBytes _tokens;
    private readonly ulong[] _slots;
    private readonly ulong _seed = (ulong)Random.Shared.NextInt64() | 1;
    private readonly int _longest;

    /// <summary>
    /// Indexes the first <paramref name="count"/> tokens, without those that have no bytes or that
    /// <paramref name="leaveOut"/> names.
    /// </summary>
    public TokenIndex(TokenBytes tokens, int count, IReadOnlySet<int>? leaveOut = null)
    {
        _tokens = tokens;
        _slots = new ulong[(int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, 2L * count))];
        for (int id = 0; id < count; id++)
        {
            ReadOnlySpan<byte> bytes = tokens[id];
            if (bytes.IsEmpty || leaveOut?.Contains(id) == true)
                continue;
            _longest = Math.Max(_longest, bytes.Length);
            ulong hash = Hash(bytes);
            int slot = FirstSlot(hash);
            while (_slots[slot] != 0)
                slot = NextSlot(slot);
            _slots[slot] = hash & UpperHalf | (uint)(id + 1);
        }
    }

    private const ulong UpperHalf = 0xFFFF_FFFF_0000_0000;

    /// <summary>The id of the token with these bytes, or −1. Of equal tokens the one with the lowest id.</summary>
    public int Find(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _longest)
            return -1;
        ulong hash = Hash(bytes);
        for (int slot = FirstSlot(hash); _slots[slot] != 0; slot = NextSlot(slot))
        {
            int id = (int)(uint)_slots[slot] - 1;
            if ((_slots[slot] & UpperHalf) == (hash & UpperHalf) && _tokens[id].SequenceEqual(bytes))
                return id;
        }
        return -1;
    }

    private int FirstSlot(ulong hash) => (int)hash & (_slots.Length - 1);

    private int NextSlot(int slot) => (slot + 1) & (_slots.Length - 1);

    private ulong Hash(ReadOnlySpan<byte> bytes)
    {
        ulong hash = _seed + (uint)bytes.Length;
        while (bytes.Length >= sizeof(ulong))
        {
            hash = Mix(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }
        ulong tail = 0;
        foreach (byte b in bytes)
            tail = tail << 8 | b;
        return Mix(hash ^ tail);
    }

    // The 128-bit product folded onto itself: every input bit reaches both halves. The factor is the golden ratio's.
    private static ulong Mix(ulong value)
    {
        ulong high = Math.BigMul(value, 0x9E37_79B9_7F4A_7C15, out ulong low);
        return high ^ low;
    }
}
