using System.Text;
using CsCheck;
using GptOss.Tokenization;

namespace GptOss.Tests.Tokenization;

public sealed class Utf8AssemblerTests
{
    // Bytes near every border of the encoding, so that random strings of them are nearly right.
    private static readonly byte[] Borders =
    [
        0x00,
        0x41,
        0x7F,
        0x80,
        0x8F,
        0x90,
        0x9F,
        0xA0,
        0xBF,
        0xC0,
        0xC1,
        0xC2,
        0xDF,
        0xE0,
        0xE2,
        0xED,
        0xEF,
        0xF0,
        0xF1,
        0xF4,
        0xF5,
        0xFF,
    ];

    [Fact]
    public void However_the_bytes_are_cut_the_text_is_that_of_all_of_them() =>
        Gen.OneOf<byte>(Gen.OneOf(Borders), Gen.Byte)
            .Array[0, 12]
            .Sample(
                bytes =>
                {
                    string whole = Encoding.UTF8.GetString(bytes);
                    for (int first = 0; first <= bytes.Length; first++)
                    {
                        for (int second = first; second <= bytes.Length; second++)
                            Assert.Equal(whole, Assemble(bytes[..first], bytes[first..second], bytes[second..]));
                    }
                    Assert.Equal(whole, Assemble([.. bytes.Select(b => new[] { b })]));
                },
                iter: 3_000
            );

    [Fact]
    public void Only_the_beginning_of_a_character_is_held_back() =>
        Gen.OneOf(Borders)
            .Array[0, 12]
            .Sample(
                bytes =>
                {
                    var assembler = new Utf8Assembler();
                    string early = string.Concat(bytes.Select(b => assembler.Append([b])));
                    string late = assembler.Flush();
                    Assert.True(late is "" or "\ufffd", "more than one character was held back");
                    bool begun =
                        Rune.DecodeLastFromUtf8(bytes, out _, out _) == System.Buffers.OperationStatus.NeedMoreData
                        || Enumerable.Range(1, Math.Min(3, bytes.Length)).Any(n => Begins(bytes[^n..]));
                    Assert.Equal(begun && bytes.Length > 0, late == "\ufffd");
                    Assert.Equal(Encoding.UTF8.GetString(bytes), early + late);
                },
                iter: 3_000
            );

    [Fact]
    public void A_character_comes_with_its_last_byte()
    {
        var assembler = new Utf8Assembler();
        Assert.Equal("a", assembler.Append([0x61, 0xF0]));
        Assert.Equal("", assembler.Append([0x9F, 0x99]));
        Assert.Equal("🙂b", assembler.Append([0x82, 0x62]));
        Assert.Equal("", assembler.Flush());
    }

    [Fact]
    public void A_character_that_is_never_completed_is_replaced_at_the_end_and_then_forgotten()
    {
        var assembler = new Utf8Assembler();
        Assert.Equal("", assembler.Append([0xE2, 0x82]));
        Assert.Equal("\ufffd", assembler.Flush());
        Assert.Equal("a", assembler.Append([0x61]));
    }

    [Fact]
    public void A_long_piece_comes_whole() =>
        Assert.Equal(new string('é', 1_000), Assemble(Encoding.UTF8.GetBytes(new string('é', 1_000))));

    private static bool Begins(byte[] bytes) =>
        Rune.DecodeFromUtf8(bytes, out _, out _) == System.Buffers.OperationStatus.NeedMoreData;

    private static string Assemble(params byte[][] parts)
    {
        var assembler = new Utf8Assembler();
        return string.Concat(parts.Select(part => assembler.Append(part))) + assembler.Flush();
    }
}
