using GptOss.Cli.Chat;

namespace GptOss.Tests.Cli;

public sealed class CalculatorTests
{
    [Theory]
    [InlineData("345 + 678", 1023)]
    [InlineData("2 + 3 * 4", 14)]
    [InlineData("(2 + 3) * 4", 20)]
    [InlineData("10 - 2 - 3", 5)] // from the left
    [InlineData("2 ^ 3 ^ 2", 512)] // from the right
    [InlineData("-2 ^ 2", -4)]
    [InlineData("2 ^ -1", 0.5)]
    [InlineData("3 - -4", 7)]
    [InlineData("7 % 4 / 2", 1.5)]
    [InlineData(".5 * 4", 2)]
    public void Arithmetic_is_that_of_the_textbook(string expression, double value) =>
        Assert.Equal(value, Calculator.Evaluate(expression));

    [Theory]
    [InlineData("")]
    [InlineData("2 +")]
    [InlineData("2 2 x")]
    [InlineData("(1")]
    [InlineData("1)")]
    [InlineData("1.2.3")]
    [InlineData("sin(1)")]
    public void What_is_no_expression_is_refused(string expression) =>
        Assert.Throws<FormatException>(() => Calculator.Evaluate(expression));

    [Theory]
    [InlineData("(")]
    [InlineData("2^")]
    [InlineData("-")]
    public void Endless_nesting_does_not_exhaust_the_stack(string piece) =>
        Assert.Throws<FormatException>(() => Calculator.Evaluate(string.Concat(Enumerable.Repeat(piece, 1_000_000))));
}
