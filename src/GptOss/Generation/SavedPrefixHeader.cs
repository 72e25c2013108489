using System.Buffers.Binary;
using System.Numerics;
using GptOss.Model;

namespace GptOss.Generation;

/// <summary>The beginning of a saved prefix: what it is, which model it belongs to, and how long it is.</summary>
/// <remarks>
/// All numbers are little-endian:
/// <code>
///  0  8 bytes "GPTOSSKV"
///  8  int32   version, 1
/// 12  int32   key/value format: 0 float32, 1 float16, 2 int8
/// 16  uint64  fingerprint of the model
/// 24  int32   precision of the weights: 0 checkpoint, 1 fast
/// 28  int32   number of tokens, n
/// 32  int64   bytes of the whole file
/// 40  uint32  CRC-32C of bytes 0 to 39
/// 44  n int32 the tokens; the pages of each group of layers, ascending; uint32 CRC-32C of all before
/// </code>
/// A page is saved if the query behind the prefix sees it. Positions of the last page behind the prefix are zeros, so
/// that equal prefixes make equal files, and no file holds what another request left in a page.
/// </remarks>
/// <param name="Format">The number format of the stored keys and values.</param>
/// <param name="Fingerprint">Tells models apart whose keys and values differ.</param>
/// <param name="Precision">How the weights were computed with.</param>
/// <param name="Tokens">The number of tokens of the prefix.</param>
/// <param name="FileBytes">The bytes of header, tokens, pages and checksum.</param>
internal readonly record struct SavedPrefixHeader(
    KeyValueFormat Format,
    ulong Fingerprint,
    Precision Precision,
    int Tokens,
    long FileBytes
)
{
    /// <summary>Bytes of the header itself.</summary>
    public const int Bytes = 44;

    /// <summary>Bytes that tell whether a file is a saved prefix, and of which version.</summary>
    public const int BeginningBytes = 12;

    public const int ChecksumBytes = 4;

    private const int Version = 1;

    private static ReadOnlySpan<byte> Magic => "GPTOSSKV"u8;

    /// <summary>Bytes of a whole file with the given number of tokens.</summary>
    public static long BytesOf(ReadOnlySpan<PageGroup> groups, int tokens) =>
        Bytes + (long)sizeof(int) * tokens + PageGroup.SeenBytes(groups, tokens) + ChecksumBytes;

    /// <summary>A CRC-32C that goes on from the one of the bytes before; the first begins with 0.</summary>
    public static uint Checksum(uint before, ReadOnlySpan<byte> bytes)
    {
        uint crc = ~before;
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (byte rest in bytes)
            crc = BitOperations.Crc32C(crc, rest);
        return ~crc;
    }

    public void Write(Span<byte> header)
    {
        Magic.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], (int)Format);
        BinaryPrimitives.WriteUInt64LittleEndian(header[16..], Fingerprint);
        BinaryPrimitives.WriteInt32LittleEndian(header[24..], (int)Precision);
        BinaryPrimitives.WriteInt32LittleEndian(header[28..], Tokens);
        BinaryPrimitives.WriteInt64LittleEndian(header[32..], FileBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(header[40..], Checksum(0, header[..40]));
    }

    /// <summary>
    /// Why the first twelve bytes are not those of a saved prefix that can be read; null if they are.
    /// </summary>
    public static string? WhyNotBeginning(ReadOnlySpan<byte> beginning)
    {
        if (!beginning.StartsWith(Magic))
            return $"should begin with the bytes {Convert.ToHexString(Magic)} of a saved prefix, but begins with "
                + $"{Convert.ToHexString(beginning[..Magic.Length])}.";
        int version = BinaryPrimitives.ReadInt32LittleEndian(beginning[8..]);
        return version == Version
            ? null
            : $"should have version {Version}, but has version {version}. Save the prefix again.";
    }

    /// <summary>Why the header is damaged; null if its checksum holds.</summary>
    public static string? WhyDamaged(ReadOnlySpan<byte> header)
    {
        uint expected = BinaryPrimitives.ReadUInt32LittleEndian(header[40..]),
            found = Checksum(0, header[..40]);
        return expected == found ? null : WrongChecksum("header", expected, found);
    }

    /// <summary>Says that a part of a file is not what was saved.</summary>
    public static string WrongChecksum(string part, uint expected, uint found) =>
        $"is damaged: the checksum of its {part} should be {expected:x8}, but is {found:x8}. Save the prefix again.";

    public static SavedPrefixHeader Read(ReadOnlySpan<byte> header) =>
        new(
            (KeyValueFormat)BinaryPrimitives.ReadInt32LittleEndian(header[12..]),
            BinaryPrimitives.ReadUInt64LittleEndian(header[16..]),
            (Precision)BinaryPrimitives.ReadInt32LittleEndian(header[24..]),
            BinaryPrimitives.ReadInt32LittleEndian(header[28..]),
            BinaryPrimitives.ReadInt64LittleEndian(header[32..])
        );

    /// <summary>Why a prefix of this header is not one of the given model; null if it is.</summary>
    public string? WhyForeign(SavedPrefixHeader model) =>
        Fingerprint != model.Fingerprint
            ? $"should be a prefix of the model {model.Fingerprint:x16}, but is one of the model {Fingerprint:x16}."
        : Precision != model.Precision
            ? $"should be of the precision {model.Precision}, but is of the precision {Precision}."
        : Format != model.Format
            ? $"should have keys and values of the format {model.Format}, but has those of the format {Format}."
        : null;
}
