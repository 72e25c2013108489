using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using GptOss.Constraints.Regular;
using GptOss.Constraints.Walkers;

namespace GptOss.Tests.Constraints.Walkers;

public sealed class EscapedCodePointTests
{
    private static readonly JsonSerializerOptions Relaxed = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>All of the basic plane, and some beyond it: exactly what the encoder escapes may be escaped.</summary>
    [Fact]
    public void What_may_be_escaped_is_what_the_relaxed_encoder_escapes()
    {
        foreach (int codePoint in CodePoints())
        {
            string written = JsonSerializer.Serialize(new Rune(codePoint).ToString(), Relaxed)[1..^1];
            byte[]? escaped = JsonEscapes.Escaped(codePoint);
            Assert.Equal(
                written.StartsWith("\\u", StringComparison.Ordinal) ? written : null,
                escaped is null ? null : Encoding.ASCII.GetString(escaped)
            );
        }
    }

    /// <summary>From the first byte to the last, the code point is among those that can still come.</summary>
    [Fact]
    public void An_escape_leads_to_its_code_point()
    {
        foreach (int codePoint in CodePoints())
        {
            if (JsonEscapes.Escaped(codePoint) is not { } text)
                continue;
            EscapedCodePoint escape = EscapedCodePoint.Begin(text[0]);
            foreach (byte symbol in text.AsSpan(1))
            {
                Assert.True(escape.IsBegun);
                Assert.True(IsIn(escape.Basic, codePoint) != IsIn(escape.Beyond, codePoint));
                escape = escape.Next(symbol);
            }
            Assert.True(escape.IsWhole);
            Assert.Equal(codePoint, escape.Value);
        }
    }

    [Theory]
    [InlineData("\\ud83d\\ude00")]
    [InlineData("\\uD83D\\uD83D")]
    [InlineData("\\uD83D\\n")]
    [InlineData("\\uDE00")]
    [InlineData("\\u0041")]
    [InlineData("\\u000A")] // has an escape of one letter
    [InlineData("\\u00a0")]
    [InlineData("\\/")]
    [InlineData("a")]
    public void No_other_escape_is_read(string text)
    {
        EscapedCodePoint escape = EscapedCodePoint.Begin(text[0]);
        foreach (char symbol in text.AsSpan(1))
            escape = escape.Next(symbol);
        Assert.False(escape.IsWhole);
    }

    private static IEnumerable<int> CodePoints()
    {
        for (int codePoint = 0; codePoint <= 0x10_FFFF; codePoint += codePoint < 0x1_0000 ? 1 : 97)
            if (Rune.IsValid(codePoint))
                yield return codePoint;
    }

    private static bool IsIn(CodePointRange range, int codePoint) =>
        range.First <= codePoint && codePoint <= range.Last;
}
