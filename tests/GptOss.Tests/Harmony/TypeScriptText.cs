namespace GptOss.Tests.Harmony;

/// <summary>Reads the types that a prompt shows, and fails where they are not well formed.</summary>
/// <remarks>
/// <code>
/// type   = ["|"] one {"|" one}
/// one    = (word | text | number | "{" members "}" | "[" types "]" | "(" type ")") {"[]"}
/// member = (word | text | "[key:" type "]") ["?"] ":" type [","]
/// </code>
/// The words for types are the only ones, and <c>//</c> hides the rest of its line.
/// </remarks>
internal sealed class TypeScriptText
{
    private static readonly string[] Words =
    [
        "any",
        "string",
        "number",
        "boolean",
        "object",
        "array",
        "null",
        "true",
        "false",
    ];

    private readonly string _text;
    private int _at;

    private TypeScriptText(string text) => _text = text;

    /// <summary>Names of properties, without quotes.</summary>
    public HashSet<string> Names { get; } = [];

    /// <summary>
    /// Texts, numbers, true, false and null as JSON, and whole values of objects and arrays without their form.
    /// </summary>
    public HashSet<string> Values { get; } = [];

    public static TypeScriptText Read(string text)
    {
        Assert.DoesNotContain(text, c => c is '\r' or '\u0085' or '\u2028' or '\u2029' or '\v' or '\f');
        var read = new TypeScriptText(text);
        read.Type();
        Assert.Equal("", read.Peek());
        return read;
    }

    private void Type()
    {
        if (Peek() == "|")
            Next();
        One();
        while (Peek() == "|")
        {
            Next();
            One();
        }
    }

    private void One()
    {
        string token = Next();
        if (token == "{")
            Members();
        else if (token is "[" or "(")
            List(token == "[" ? "]" : ")");
        else if (token == "Array")
        {
            Assert.Equal(["<", "any", ">"], [Next(), Next(), Next()]);
        }
        else if (token is ['"', ..] or [>= '0' and <= '9', ..] or ['-', ..] or "true" or "false" or "null")
            Values.Add(token);
        else
            Assert.True(Words.Contains(token), $"'{token}' at {_at} is no type in:\n{_text}");
        while (Peek() == "[")
        {
            Next();
            Assert.Equal("]", Next());
        }
    }

    private void List(string end)
    {
        while (Peek() != end)
        {
            if (Peek() == "...")
                Next();
            Type();
            if (Peek() != end)
                Assert.Equal(",", Next());
        }
        Next();
    }

    private void Members()
    {
        while (Peek() != "}")
        {
            string name = Next();
            if (name == "[")
            {
                Assert.Equal(["key", ":"], [Next(), Next()]);
                Type();
                Assert.Equal("]", Next());
            }
            else
                Names.Add(name is ['"', ..] ? System.Text.Json.JsonSerializer.Deserialize<string>(name)! : name);
            if (Peek() == "?")
                Next();
            Assert.Equal(":", Next());
            Type();
            if (Peek() != "}")
                Assert.Equal(",", Next());
        }
        Next();
    }

    private string Peek()
    {
        int at = _at;
        string token = Next();
        _at = at;
        return token;
    }

    private string Next()
    {
        while (_at < _text.Length && (_text[_at] is ' ' or '\n' || _text.AsSpan(_at).StartsWith("//")))
            _at =
                _text[_at] is ' ' or '\n' ? _at + 1
                : _text.IndexOf('\n', _at) is >= 0 and int end ? end
                : _text.Length;
        if (_at == _text.Length)
            return "";
        int from = _at;
        if (_text[_at] == '"')
        {
            for (_at++; _text[_at] != '"'; _at++)
            {
                Assert.NotEqual('\n', _text[_at]);
                _at += _text[_at] == '\\' ? 1 : 0;
            }
            _at++;
        }
        else if (_text.AsSpan(_at).StartsWith("..."))
            _at += 3;
        else if ("{}[]()<>|:,?".Contains(_text[_at]))
            _at++;
        else
        {
            while (_at < _text.Length && !"{}[]()<>|:,? \n\"".Contains(_text[_at]))
                _at++;
        }
        return _text[from.._at];
    }
}
