using System.Globalization;

namespace GptOss.Cli.Chat;

/// <summary>Arithmetic in float64: + - * / % ^ and parentheses.</summary>
internal ref struct Calculator
{
    private const int DeepestNesting = 100;

    private readonly ReadOnlySpan<char> _text;
    private int _at;
    private int _depth;

    private Calculator(ReadOnlySpan<char> text) => _text = text;

    /// <exception cref="FormatException">The text is no expression.</exception>
    public static double Evaluate(string expression)
    {
        var calculator = new Calculator(expression.Replace(" ", "", StringComparison.Ordinal));
        double value = calculator.Sum();
        return calculator._at == calculator._text.Length ? value : throw calculator.Unexpected();
    }

    private char Next => _at < _text.Length ? _text[_at] : '\0';

    private double Sum()
    {
        if (++_depth > DeepestNesting)
            throw new FormatException("The expression is nested too deeply.");
        double value = Product();
        while (Next is '+' or '-')
            value = _text[_at++] == '+' ? value + Product() : value - Product();
        _depth--;
        return value;
    }

    private double Product()
    {
        double value = Signed();
        while (Next is '*' or '/' or '%')
        {
            value = _text[_at++] switch
            {
                '*' => value * Signed(),
                '/' => value / Signed(),
                _ => value % Signed(),
            };
        }
        return value;
    }

    // The sign binds less than the power: -2^2 is -4.
    private double Signed()
    {
        bool isNegative = false;
        while (Next is '-' or '+')
            isNegative ^= _text[_at++] == '-';
        double value = Power();
        return isNegative ? -value : value;
    }

    private double Power()
    {
        double value = Atom();
        if (Next != '^')
            return value;
        _at++;
        if (++_depth > DeepestNesting)
            throw new FormatException("The expression is nested too deeply.");
        value = Math.Pow(value, Signed());
        _depth--;
        return value;
    }

    private double Atom()
    {
        if (Next == '(')
        {
            _at++;
            double value = Sum();
            if (Next != ')')
                throw Unexpected();
            _at++;
            return value;
        }
        int start = _at;
        while (char.IsAsciiDigit(Next) || Next == '.')
            _at++;
        return double.TryParse(
            _text[start.._at],
            NumberStyles.AllowDecimalPoint,
            CultureInfo.InvariantCulture,
            out double number
        )
            ? number
            : throw Unexpected();
    }

    private readonly FormatException Unexpected() =>
        new(_at < _text.Length ? $"'{_text[_at]}' is unexpected in the expression." : "The expression ends too early.");
}
