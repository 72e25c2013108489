using System.Text;
using Microsoft.Win32.SafeHandles;

namespace GptOss.Cli.Shell;

/// <summary>Standard output as UTF-8, written through at once; a reader that has gone away is an error.</summary>
/// <remarks>
/// .NET's console stream takes a broken pipe for success, so that a model would go on talking to nobody; hence the pipe
/// is written to as a file. Only a pipe: in a regular file that would disregard what others have appended meanwhile.
/// </remarks>
internal sealed class Output : IDisposable
{
    private const int StandardOutput = 1;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    private readonly Stream _stream = Open();

    public void Write(string text)
    {
        try
        {
            _stream.Write(Utf8.GetBytes(text));
            _stream.Flush();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OutputException(
                "Standard output takes no more: its reader has gone away, or the disk is full.",
                e
            );
        }
    }

    public void WriteLine(string text) => Write(text + "\n");

    public void Dispose() => _stream.Dispose();

    private static Stream Open()
    {
        if (Console.IsOutputRedirected && !OperatingSystem.IsWindows())
        {
            try
            {
                var file = new FileStream(
                    new SafeFileHandle(StandardOutput, ownsHandle: false),
                    FileAccess.Write,
                    bufferSize: 0
                );
                if (!file.CanSeek)
                    return file;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
            {
                // The process was started without a standard output.
            }
        }
        else if (OperatingSystem.IsWindows() && !Console.IsOutputRedirected)
            Console.OutputEncoding = Utf8; // a terminal there would read the bytes in a code page of old
        return Console.OpenStandardOutput();
    }
}

/// <summary>Standard output is closed: nothing that is written reaches anybody.</summary>
internal sealed class OutputException(string message, Exception inner) : IOException(message, inner);
