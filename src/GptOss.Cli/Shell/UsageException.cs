namespace GptOss.Cli.Shell;

/// <summary>
/// The command line asks for something that cannot be; its message is the one line the person gets, exit code 2.
/// </summary>
internal sealed class UsageException(string message) : Exception(message);
