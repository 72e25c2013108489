using System.Globalization;
using System.Numerics;
using GptOss.Constraints;
using GptOss.Constraints.Regular;

namespace GptOss.Tests.Constraints.Regular;

public sealed class DecimalNumberTests
{
    [Theory]
    [InlineData("2.0", "2")]
    [InlineData("1e2", "100")]
    [InlineData("1.50E+1", "15")]
    [InlineData("-0.0", "0")]
    [InlineData("-0.10", "-0.1")]
    [InlineData("120e-1", "12")]
    [InlineData("1e-7", "0.0000001")]
    [InlineData("9007199254740993", "9007199254740993")] // not a double
    [InlineData("1e400", "1e400")]
    [InlineData("12.5e-100", "1.25e-99")]
    [InlineData("123456789012345678901234567890", "123456789012345678901234567890")]
    public void A_number_is_spelled_as_short_as_can_be(string text, string shortest)
    {
        Assert.True(DecimalNumber.TryParse(text, out DecimalNumber number));
        Assert.Equal(shortest, number.ToString());
        Assert.True(DecimalNumber.TryParse(shortest, out DecimalNumber again));
        Assert.Equal(number, again);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("01")]
    [InlineData("1.")]
    [InlineData(".5")]
    [InlineData("+1")]
    [InlineData("1e")]
    [InlineData("1e+")]
    [InlineData("0x1")]
    [InlineData("1 ")]
    [InlineData("NaN")]
    public void What_is_no_number_of_json_is_not_read(string text) => Assert.False(DecimalNumber.TryParse(text, out _));

    [Fact]
    public void Numbers_are_ordered_and_divided_as_whole_numbers_of_a_small_unit_are()
    {
        var random = new Random(1);
        for (int draw = 0; draw < 5_000; draw++)
        {
            (string text, BigInteger value) = Draw(random);
            (string otherText, BigInteger other) = Draw(random);
            Assert.True(DecimalNumber.TryParse(text, out DecimalNumber number));
            Assert.True(DecimalNumber.TryParse(otherText, out DecimalNumber otherNumber));
            Assert.True(
                Math.Sign(number.CompareTo(otherNumber)) == Math.Sign(value.CompareTo(other)),
                $"{text} against {otherText}"
            );
            Assert.Equal(value == other, number == otherNumber);
            if (!other.IsZero)
                Assert.True((value % other).IsZero == number.IsMultipleOf(otherNumber), $"{text} of {otherText}");
        }
    }

    [Fact]
    public void A_number_of_too_many_digits_or_too_large_an_exponent_meets_a_limit()
    {
        Assert.Throws<LimitException>(() => DecimalNumber.TryParse(new string('1', 1_001), out _));
        Assert.Throws<LimitException>(() => DecimalNumber.TryParse("1e1000000001", out _));
        Assert.Throws<LimitException>(() => DecimalNumber.TryParse("1e-99999999999999999999", out _));
    }

    // A text with few digits, so that equal numbers and multiples are drawn too, and its value in thousandths.
    private static (string Text, BigInteger Value) Draw(Random random)
    {
        int digits = random.Next(-30, 31);
        int exponent = random.Next(-3, 3);
        BigInteger value = digits * BigInteger.Pow(10, exponent + 3);
        return (string.Create(CultureInfo.InvariantCulture, $"{digits}e{exponent}"), value);
    }
}
