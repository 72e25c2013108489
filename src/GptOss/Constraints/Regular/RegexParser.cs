using static GptOss.Constraints.Regular.RegexNode;

namespace GptOss.Constraints.Regular;

/// <summary>
/// Reads a regular expression of ECMA-262 with the u flag, as JSON Schema asks for it. What would need more than a
/// finite automaton, or more than this engine has, is refused with its position.
/// </summary>
/// <remarks>
/// More is read than the u flag allows where the meaning is plain: <c>{</c>, <c>}</c> and <c>]</c> for themselves,
/// escapes of characters that need none, <c>-</c> beside a class, and Python's <c>(?P&lt;name&gt;…)</c>.
/// </remarks>
internal sealed class RegexParser
{
    // The parser, and whoever walks the nodes, calls itself at most a few times for each.
    private const int MostNesting = 200;

    private readonly string _text;
    private readonly RegexEscapes _escapes;
    private List<IReadOnlyList<LookAhead>> _guards = [];
    private int _at;
    private int _nesting;

    private RegexParser(string text)
    {
        _text = text;
        _escapes = new(text);
    }

    /// <summary>Reads a whole pattern.</summary>
    /// <param name="text">The pattern, without delimiters and flags.</param>
    /// <param name="isAtStart">Whether the pattern stands at the start of the text, as if behind <c>^</c>.</param>
    /// <exception cref="PatternException">The pattern is wrong, or holds what is not supported.</exception>
    public static RegexPattern Parse(string text, bool isAtStart)
    {
        var parser = new RegexParser(text);
        RegexNode root = parser.ReadChoice(isAtStart);
        if (parser._at < text.Length)
            throw new PatternException(parser._at, "')' closes no group");
        return new(root, parser._guards);
    }

    private RegexNode ReadChoice(bool isAtStart)
    {
        List<RegexNode> branches = [ReadSeries(isAtStart)];
        while (Skip("|"))
            branches.Add(ReadSeries(isAtStart));
        return branches is [RegexNode only] ? only : new Choice(branches);
    }

    private RegexNode ReadSeries(bool isAtStart)
    {
        List<RegexNode> parts = [];
        while (_at < _text.Length && _text[_at] is not ('|' or ')'))
        {
            bool isBehindStart = parts.Count == 0 ? isAtStart : parts[^1] is AtStart or Guarded;
            parts.Add(ReadTerm(isBehindStart));
        }
        return parts is [RegexNode only] ? only : new Series(parts);
    }

    private RegexNode ReadTerm(bool isAtStart)
    {
        if (Skip("^"))
            return new AtStart();
        if (Skip("$"))
            return new AtEnd();
        int guards = _guards.Count;
        int position = _at;
        if (_text.AsSpan(_at) is ['(', '?', '=' or '!', ..])
            return ReadGuard(isAtStart);
        RegexNode atom = Skip("(") ? ReadGroup(isAtStart) : new Read(ReadAtom());
        if (ReadQuantifier() is not (int min, var max))
            return atom;
        if (_guards.Count > guards && max is null or > 1)
            throw new PatternException(position, "a look-ahead inside a repetition is not supported");
        return new Repeat(atom, min, max);
    }

    // Reads all look-aheads that stand behind one another.
    private Guarded ReadGuard(bool isAtStart)
    {
        if (!isAtStart)
            throw new PatternException(_at, "look-ahead is supported directly behind '^' only");
        List<IReadOnlyList<LookAhead>> outer = _guards;
        List<LookAhead> aheads = [];
        while (_text.AsSpan(_at) is ['(', '?', ('=' or '!') and char sign, ..])
        {
            int open = _at;
            _at += 3;
            _guards = [];
            RegexNode body = ReadBody(open, isAtStart: true);
            aheads.Add(new(new(body, _guards), sign == '!'));
        }
        _guards = outer;
        _guards.Add(aheads);
        return new(_guards.Count - 1);
    }

    private RegexNode ReadGroup(bool isAtStart)
    {
        int open = _at - 1;
        if (Skip("?"))
            SkipGroupKind();
        return ReadBody(open, isAtStart);
    }

    private RegexNode ReadBody(int open, bool isAtStart)
    {
        if (++_nesting > MostNesting)
            throw new PatternException(open, $"groups nest deeper than {MostNesting}");
        RegexNode body = ReadChoice(isAtStart);
        if (!Skip(")"))
            throw new PatternException(open, "the group is not closed");
        _nesting--;
        return body;
    }

    private void SkipGroupKind()
    {
        if (Skip(":"))
            return;
        if (_text.AsSpan(_at) is ['<', '=' or '!', ..])
            throw new PatternException(_at - 2, "look-behind is not supported");
        int name = _at;
        if (!Skip("<") && !Skip("P<"))
            throw new PatternException(_at - 2, KindError());
        int end = _text.IndexOf('>', _at);
        if (end <= _at || !_text.AsSpan(_at..end).ToString().All(c => char.IsLetterOrDigit(c) || c is '_' or '$'))
            throw new PatternException(name, "the name of the group is wrong");
        _at = end + 1;
    }

    private string KindError() =>
        _text.AsSpan(_at) switch
        {
            ['>', ..] => "atomic groups are not supported",
            ['P', '=', ..] => "back references are not supported",
            [>= 'a' and <= 'z' or '-', ..] => "flags are not supported",
            _ => "this kind of group is not supported",
        };

    private CodePointSet ReadAtom()
    {
        switch (_text[_at])
        {
            case '.':
                _at++;
                return CharacterClasses.NoLineEnd;
            case '[':
                return ReadClass();
            case '*' or '+' or '?':
                throw new PatternException(_at, "nothing to repeat");
            case '{' when AtQuantifier():
                throw new PatternException(_at, "nothing to repeat");
            default:
                return _escapes.ReadCharacter(ref _at, isInClass: false);
        }
    }

    private CodePointSet ReadClass()
    {
        int open = _at++;
        if (_text.AsSpan(open) is ['[', '[', ':', ..] && _text.IndexOf(":]]", open, StringComparison.Ordinal) > 0)
            throw new PatternException(open, "POSIX classes are not supported");
        bool isNegative = Skip("^");
        CodePointSet all = CodePointSet.None;
        while (!Skip("]"))
        {
            if (_at == _text.Length)
                throw new PatternException(open, "the class is not closed");
            all = all.Union(ReadRange());
        }
        return isNegative ? all.Complement() : all;
    }

    private CodePointSet ReadRange()
    {
        int position = _at;
        CodePointSet first = _escapes.ReadCharacter(ref _at, isInClass: true);
        int from = _escapes.LastCodePoint;
        if (from < 0 || _text.AsSpan(_at) is not ['-', not ']', ..])
            return first;
        int dash = _at++;
        _ = _escapes.ReadCharacter(ref _at, isInClass: true);
        int to = _escapes.LastCodePoint;
        if (to < 0)
        {
            _at = dash; // As in [a-\d], where the dash is one.
            return first;
        }
        if (to < from)
            throw new PatternException(position, "the range is out of order");
        return CodePointSet.Of((from, to));
    }

    private (int Min, int? Max)? ReadQuantifier()
    {
        (int Min, int? Max)? times =
            _at == _text.Length
                ? null
                : _text[_at] switch
                {
                    '*' => (0, null),
                    '+' => (1, null),
                    '?' => (0, 1),
                    _ => null,
                };
        if (times is not null)
            _at++;
        else if (AtQuantifier())
            times = ReadTimes();
        else
            return null;
        Skip("?"); // As few as possible: the language is the same.
        return times;
    }

    // Whether what follows is {m}, {m,} or {m,n}, for other braces stand for themselves.
    private bool AtQuantifier()
    {
        ReadOnlySpan<char> rest = _text.AsSpan(_at);
        if (rest is not ['{', ..])
            return false;
        int end = rest.IndexOf('}');
        ReadOnlySpan<char> inside = end < 0 ? [] : rest[1..end];
        if (inside.IsEmpty || inside.Count(',') > 1)
            return false;
        foreach (char c in inside)
            if (c != ',' && !char.IsAsciiDigit(c))
                return false;
        return true;
    }

    private (int Min, int? Max) ReadTimes()
    {
        int open = _at++;
        if (_text[_at] == ',')
            throw new PatternException(open, "a repetition needs its least number: {0,n}");
        int min = ReadNumber();
        int? max =
            !Skip(",") ? min
            : _text[_at] == '}' ? null
            : ReadNumber();
        _at++;
        if (max < min)
            throw new PatternException(open, "the numbers of the repetition are out of order");
        return (min, max);
    }

    // Larger numbers are beyond every limit, so they need not be exact.
    private int ReadNumber()
    {
        int number = 0;
        for (; char.IsAsciiDigit(_text[_at]); _at++)
            number = (int)Math.Min(10L * number + (_text[_at] - '0'), 1_000_000_000);
        return number;
    }

    private bool Skip(string expected)
    {
        if (!_text.AsSpan(_at).StartsWith(expected, StringComparison.Ordinal))
            return false;
        _at += expected.Length;
        return true;
    }
}
