using GptOss.Constraints.Regular;
using static GptOss.Constraints.Regular.RegexNode;

namespace GptOss.Constraints.Gbnf;

/// <summary>Reads a grammar in the GBNF of llama.cpp into its rules.</summary>
/// <remarks>Source for the notation: grammars/README.md in ggml-org/llama.cpp.</remarks>
internal sealed class GbnfReader
{
    private const int MostRules = 10_000,
        MostNesting = 200;

    private readonly GbnfText _text;
    private readonly Dictionary<string, int> _numbers = [];
    private readonly Dictionary<int, Read> _characters = [];
    private readonly List<GbnfRule> _rules = [];
    private int _nesting;

    private GbnfReader(GbnfText text) => _text = text;

    /// <summary>All rules that the grammar names, defined or not, in the order in which they are first named.</summary>
    /// <exception cref="GbnfException">The grammar is wrong.</exception>
    /// <exception cref="LimitException">The grammar has too many rules.</exception>
    public static List<GbnfRule> Read(GbnfText text)
    {
        var reader = new GbnfReader(text);
        for (text.SkipBlanks(isOverLines: true); !text.IsAtEnd; text.SkipBlanks(isOverLines: true))
            reader.ReadRule();
        return reader._rules;
    }

    private void ReadRule()
    {
        int start = _text.Position;
        string name = _text.TakeName();
        if (name.Length == 0)
            throw _text.Error("a rule is expected: name ::= …");
        _text.SkipBlanks(isOverLines: false);
        if (!_text.Take("::="))
            throw _text.Error($"'::=' is expected behind '{name}'");
        GbnfRule rule = _rules[NumberOf(name, start)];
        if (rule.Body is not null)
            throw _text.Error($"rule '{name}' is defined twice", start);
        rule.Position = start;
        _text.SkipBlanks(isOverLines: true);
        rule.Body = ReadChoice();
        if (!_text.IsAtEnd && _text.Next is not ('\r' or '\n'))
            throw _text.Error($"'{_text.Next}' is not expected here");
    }

    private RegexNode ReadChoice()
    {
        List<RegexNode> branches = [ReadSeries()];
        while (TakeBar())
        {
            _text.SkipBlanks(isOverLines: true);
            branches.Add(ReadSeries());
        }
        return branches is [RegexNode only] ? only : new Choice(branches);
    }

    // A line that begins with a bar goes on with the rule of the line before: no rule begins so.
    private bool TakeBar()
    {
        int end = _text.Position;
        _text.SkipBlanks(isOverLines: true);
        if (_text.Take("|"))
            return true;
        _text.Position = end;
        return false;
    }

    private Series ReadSeries()
    {
        List<RegexNode> parts = [];
        while (ReadPart() is { } part)
        {
            if (ReadTimes() is (int min, var max))
                part = new Repeat(part, min, max);
            parts.Add(part);
            _text.SkipBlanks(isOverLines: _nesting > 0);
        }
        return new(parts);
    }

    private RegexNode? ReadPart()
    {
        int start = _text.Position;
        switch (_text.Next)
        {
            case '"':
                return ReadLiteral();
            case '[':
                return new Read(ReadClass());
            case '.':
                _text.Position++;
                return new Read(CodePointSet.All);
            case '(':
                return ReadGroup();
            case '<':
                throw _text.Error("tokens are not supported: the text of an answer holds no markers");
            case '!' when _text.Sees("!<"):
                throw _text.Error("tokens are not supported: the text of an answer holds no markers");
            case '*' or '+' or '?' or '{':
                throw _text.Error("nothing to repeat");
        }
        string name = _text.TakeName();
        return name.Length == 0 ? null : ReadOf(GbnfRule.Symbol(NumberOf(name, start)));
    }

    private RegexNode ReadGroup()
    {
        int open = _text.Position++;
        if (++_nesting > MostNesting)
            throw _text.Error($"groups nest deeper than {MostNesting}", open);
        _text.SkipBlanks(isOverLines: true);
        RegexNode body = ReadChoice();
        _text.SkipBlanks(isOverLines: true);
        if (!_text.Take(")"))
            throw _text.IsAtEnd
                ? _text.Error("the group is not closed", open)
                : _text.Error($"'{_text.Next}' is not expected here");
        _nesting--;
        return body;
    }

    private Series ReadLiteral()
    {
        int open = _text.Position++;
        List<RegexNode> parts = [];
        while (!_text.Take("\""))
        {
            if (_text.IsAtEnd)
                throw _text.Error("the literal is not closed", open);
            parts.Add(ReadOf(_text.TakeCharacter()));
        }
        return new(parts);
    }

    private CodePointSet ReadClass()
    {
        int open = _text.Position++;
        bool isNegative = _text.Take("^");
        List<(int, int)> ranges = [];
        while (!_text.Take("]"))
        {
            int start = _text.Position;
            if (_text.IsAtEnd)
                throw _text.Error("the class is not closed", open);
            int first = _text.TakeCharacter(),
                last = first;
            if (_text.Next == '-' && !_text.Sees("-]"))
            {
                _text.Position++;
                if (_text.IsAtEnd)
                    throw _text.Error("the class is not closed", open);
                last = _text.TakeCharacter();
            }
            if (last < first)
                throw _text.Error("the range is out of order", start);
            ranges.Add((first, last));
        }
        if (ranges.Count == 0)
            throw _text.Error("the class is empty", open);
        var set = CodePointSet.Of([.. ranges]);
        return isNegative ? set.Complement() : set;
    }

    private (int Min, int? Max)? ReadTimes()
    {
        int start = _text.Position;
        _text.SkipBlanks(isOverLines: _nesting > 0);
        switch (_text.Next)
        {
            case '*':
                _text.Position++;
                return (0, null);
            case '+':
                _text.Position++;
                return (1, null);
            case '?':
                _text.Position++;
                return (0, 1);
            case '{':
                return ReadBraces();
        }
        _text.Position = start;
        return null;
    }

    private (int Min, int? Max) ReadBraces()
    {
        int open = _text.Position++;
        _text.SkipBlanks(isOverLines: false);
        int? min = _text.TakeNumber(),
            max = min;
        _text.SkipBlanks(isOverLines: false);
        if (_text.Take(","))
        {
            _text.SkipBlanks(isOverLines: false);
            max = _text.TakeNumber();
            _text.SkipBlanks(isOverLines: false);
            if (min is null && max is null)
                throw _text.Error("the repetition needs a number", open);
        }
        else if (min is null)
            throw _text.Error("the repetition needs a number", open);
        if (!_text.Take("}"))
            throw _text.Error("'}' is expected");
        if (max < min)
            throw _text.Error("the numbers of the repetition are out of order", open);
        return (min ?? 0, max);
    }

    private int NumberOf(string name, int position)
    {
        if (_numbers.TryGetValue(name, out int number))
            return number;
        if (_rules.Count == MostRules)
            throw new LimitException($"has more than {MostRules:N0} rules");
        _rules.Add(new GbnfRule(name, position));
        return _numbers[name] = _rules.Count - 1;
    }

    // Large grammars repeat few characters, so each is made once.
    private Read ReadOf(int symbol)
    {
        if (!_characters.TryGetValue(symbol, out Read? read))
            _characters[symbol] = read = new(CodePointSet.Of((symbol, symbol)));
        return read;
    }
}
