using System.Globalization;
using System.Text;
using System.Text.Json;
using GptOss.AspNetCore.Requests;

namespace GptOss.AspNetCore.Answers;

/// <summary>
/// Unwraps the text of a freeform tool out of what the model writes, while it writes: out of
/// <c>{"input":"*** Begin Patch\n"</c> comes <c>*** Begin Patch</c> and a line's end.
/// </summary>
/// <remarks>
/// What does not begin with the one argument that the model was shown is held back to its end: a JSON object with one
/// string is unwrapped then, and anything else is the text as the model wrote it.
/// </remarks>
internal sealed class FreeformInput
{
    private readonly StringBuilder _held = new();
    private Stage _stage = Stage.Opening;
    private int _at;
    private string _half = ""; // of a character of two escapes, whose other one has not come

    private enum Stage
    {
        /// <summary>So far it can be the beginning of the object.</summary>
        Opening,

        /// <summary>It stands within the string.</summary>
        Text,

        /// <summary>The string is at its end.</summary>
        Over,

        /// <summary>It is something else, which is held to the end.</summary>
        Other,
    }

    /// <summary>Takes what the model wrote next; returns the text that it adds.</summary>
    public string Append(string written)
    {
        _held.Append(written);
        if (_stage == Stage.Opening)
            Open();
        return _stage == Stage.Text ? Text() : "";
    }

    /// <summary>The text that was held back, once the call is complete or cut.</summary>
    public string End() =>
        _stage is Stage.Text or Stage.Over ? _half
        : _held.Length == 0 ? ""
        : Single(_held.ToString()) ?? _held.ToString();

    private void Open()
    {
        ReadOnlySpan<char> rest = _held.ToString();
        foreach (string part in (string[])["{", $"\"{AskedTools.FreeformArgument}\"", ":", "\""])
        {
            rest = rest.TrimStart();
            if (!rest.StartsWith(part, StringComparison.Ordinal))
            {
                if (!part.AsSpan().StartsWith(rest, StringComparison.Ordinal))
                    _stage = Stage.Other;
                return;
            }
            rest = rest[part.Length..];
        }
        _stage = Stage.Text;
        _at = _held.Length - rest.Length;
    }

    // Characters up to the end of the string, or to an escape or a character that is not whole yet.
    private string Text()
    {
        var text = new StringBuilder(_half);
        _half = "";
        while (_at < _held.Length && _stage == Stage.Text)
        {
            char c = _held[_at];
            if (c == '"')
                _stage = Stage.Over;
            else if (c != '\\')
                text.Append(c);
            else if (!TryEscape(text))
                break;
            _at++;
        }
        if (_stage == Stage.Text && text.Length > 0 && char.IsHighSurrogate(text[^1]))
        {
            _half = text[^1].ToString();
            text.Length--;
        }
        return text.ToString();
    }

    private bool TryEscape(StringBuilder text)
    {
        if (_at + 1 >= _held.Length)
            return false;
        char c = _held[_at + 1];
        if (c != 'u')
        {
            _at++;
            text.Append(
                c switch
                {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    'b' => '\b',
                    'f' => '\f',
                    _ => c,
                }
            );
            return true;
        }
        if (_at + 5 >= _held.Length)
            return false;
        string digits = _held.ToString(_at + 2, 4);
        bool isUnit = ushort.TryParse(
            digits,
            NumberStyles.AllowHexSpecifier,
            CultureInfo.InvariantCulture,
            out ushort unit
        );
        text.Append(isUnit ? (char)unit : '\uFFFD');
        _at += 5;
        return true;
    }

    private static string? Single(string written)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(written);
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || root.GetPropertyCount() != 1)
                return null;
            JsonElement value = root.EnumerateObject().First().Value;
            return value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
