using System.Text;

namespace GptOss.Cli.Chat;

/// <summary>
/// What the person says, line by line; a line of three quotation marks begins and ends a text of several lines.
/// </summary>
internal sealed class LineReader(Action<string> prompt) : IDisposable
{
    private const string BlockMark = "\"\"\"";

    private readonly StreamReader? _redirected = Console.IsInputRedirected
        ? new StreamReader(Console.OpenStandardInput(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false))
        : null;

    /// <summary>The next text; null at the end of the input.</summary>
    public async Task<string?> ReadAsync(CancellationToken cancellationToken)
    {
        prompt("> ");
        string? line = await ReadLineAsync(cancellationToken).ConfigureAwait(false);
        if (line?.Trim() != BlockMark)
            return line;
        var block = new StringBuilder();
        while (true)
        {
            prompt(". ");
            line = await ReadLineAsync(cancellationToken).ConfigureAwait(false);
            if (line is null || line.Trim() == BlockMark)
                return block.ToString();
            block.Append(block.Length > 0 ? "\n" : "").Append(line);
        }
    }

    public void Dispose() => _redirected?.Dispose();

    private Task<string?> ReadLineAsync(CancellationToken cancellationToken) =>
        _redirected is { } reader
            ? reader.ReadLineAsync(cancellationToken).AsTask()
            // The terminal's own line editing blocks its thread.
            : Task.Run(Console.ReadLine, cancellationToken).WaitAsync(cancellationToken);
}
