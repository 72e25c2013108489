using System.Reflection;
using System.Text;

namespace GptOss.Cli.Shell;

/// <summary>What a person gets when something went wrong: one line on standard error, and an exit code.</summary>
internal static class Failure
{
    public const int Error = 1;
    public const int WrongUsage = 2;

    /// <summary>Nothing went wrong, but the model gave no answer.</summary>
    public const int NoAnswer = 3;

    /// <summary>The line where a person ended the work.</summary>
    public const string Interrupted = "Interrupted.";

    private const int LineLimit = 8192;

    /// <summary>Writes the line for an exception; returns the exit code.</summary>
    public static int Report(Exception exception, CancellationToken interruption)
    {
        Exception cause = Cause(exception);
        WriteLine(
            cause is OperationCanceledException && interruption.IsCancellationRequested ? Interrupted : Describe(cause)
        );
        return cause is UsageException ? WrongUsage : Error;
    }

    public static void WriteLine(string message)
    {
        try
        {
            Console.Error.WriteLine($"gptoss: {OneLine(message)}");
        }
        catch (IOException)
        {
            // Standard error is closed: the exit code alone says that something went wrong.
        }
    }

    private static Exception Cause(Exception e) =>
        e is AggregateException or TargetInvocationException or TypeInitializationException
        && e.InnerException is { } inner
            ? Cause(inner)
            : e;

    private static string Describe(Exception e) =>
        e switch
        {
            // The library's message names ModelOptions, which a person at a shell does not have.
            ContextLengthException tooLong =>
                $"The prompt is longer than the context: {Amount.Count(tooLong.PromptTokens)} tokens or more, of "
                    + $"{Amount.Count(tooLong.ContextLength)}. Shorten it.",
            UsageException
            or GptOssException
            or InsufficientMemoryException
            or IOException
            or UnauthorizedAccessException => e.Message,
            OutOfMemoryException => "Memory ran out. 'gptoss inspect MODEL --context N' says how much a model needs.",
            ArgumentException => WithoutParameter(e.Message),
            _ => $"Unexpected {e.GetType().Name}: {e.Message} This is a defect of gptoss; please report it with the "
                + "command line.",
        };

    /// <summary>
    /// .NET appends the name of a parameter and its value, which mean nothing to whoever typed a command.
    /// </summary>
    private static string WithoutParameter(string message)
    {
        int end = message.IndexOf(" (Parameter '", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }

    private static string OneLine(string message)
    {
        var line = new StringBuilder(message.Length);
        foreach (char c in message)
            line.Append(char.IsControl(c) ? ' ' : c);
        return line.Length <= LineLimit ? line.ToString() : line.ToString(0, LineLimit - 1) + "…";
    }
}
