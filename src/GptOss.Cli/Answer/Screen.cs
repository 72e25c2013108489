using System.Text;
using GptOss.Cli.Shell;
using Spectre.Console;

namespace GptOss.Cli.Answer;

/// <summary>
/// Standard output for answers: dimmed text exists on a terminal only, everything else gets the bare words.
/// </summary>
internal sealed class Screen : IDisposable
{
    private const string Dim = "\u001b[2m",
        Plain = "\u001b[0m",
        ClearLine = "\r\u001b[K";

    private readonly Output _output = new();

    /// <summary>Whether text can be dimmed and a line rewritten.</summary>
    public bool CanStyle { get; } = !Console.IsOutputRedirected && AnsiConsole.Profile.Capabilities.Ansi;

    public bool IsTerminal { get; } = !Console.IsOutputRedirected;

    public void Write(string text) => _output.Write(IsTerminal ? Harmless(text) : text);

    public void WriteLine(string text = "") => Write(text + "\n");

    public void WriteDimmed(string text)
    {
        if (CanStyle && text.Length > 0)
            _output.Write(Dim + Harmless(text) + Plain);
        else
            Write(text);
    }

    /// <summary>
    /// Puts dimmed text in the place of the current line; nothing where a written line cannot be changed.
    /// </summary>
    public void Rewrite(string text)
    {
        if (CanStyle)
            _output.Write(ClearLine + Dim + Harmless(text) + Plain);
    }

    public void Dispose() => _output.Dispose();

    /// <summary>
    /// A terminal obeys control characters, and a model's words must not move its cursor or rename its window.
    /// </summary>
    private static string Harmless(string text)
    {
        if (!text.Any(IsHarmful))
            return text;
        var harmless = new StringBuilder(text.Length);
        foreach (char c in text)
            harmless.Append(IsHarmful(c) ? '\uFFFD' : c);
        return harmless.ToString();
    }

    private static bool IsHarmful(char c) => char.IsControl(c) && c is not ('\n' or '\t');
}
