using System.Text;

namespace GptOss.Cli.Shell;

/// <summary>Text from an argument, or from standard input where the argument is missing or a dash.</summary>
internal static class Input
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <exception cref="UsageException">There is no argument, and standard input is a terminal.</exception>
    public static async Task<string> ReadAsync(string? argument, string name, CancellationToken cancellationToken)
    {
        if (argument is not null and not "-")
            return argument;
        if (argument is null && !Console.IsInputRedirected)
            throw new UsageException($"{name} is missing. Give it in quotation marks, or send it to standard input.");
        using var reader = new StreamReader(Console.OpenStandardInput(), Utf8);
        return await reader.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
    }
}
