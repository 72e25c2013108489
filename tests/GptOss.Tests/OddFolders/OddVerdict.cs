using GptOss.Tests.Cli;

namespace GptOss.Tests.OddFolders;

/// <summary>What a run of the tool was worth.</summary>
internal enum OddVerdict
{
    Clean,
    Unhelpful,
    Crash,
    Hang,
    WronglyAccepted,
    WronglyRefused,
}

/// <summary>Judges what the tool did with a folder.</summary>
internal static class OddJudge
{
    /// <summary>The most characters of a message beside the path of the folder.</summary>
    private const int Longest = 500;

    private static readonly string[] Forbidden = ["Unexpected ", "Exception", "   at ", "defect of", "Parameter '"];

    /// <summary>The verdict, and why it is not a clean one.</summary>
    /// <param name="one">The case.</param>
    /// <param name="folder">The folder as it was made.</param>
    /// <param name="run">How <c>gptoss run</c> ended.</param>
    /// <param name="logits">What <c>gptoss debug logits</c> wrote, called where the folder must load.</param>
    /// <param name="control">What it writes for the base.</param>
    public static (OddVerdict Verdict, string Why) Of(
        OddCase one,
        OddFolder folder,
        (ToolRun? Run, string? Failure) run,
        Func<string> logits,
        string control
    )
    {
        if (run.Run is not { } ended)
            return (
                run.Failure!.Contains("still", StringComparison.Ordinal) ? OddVerdict.Hang : OddVerdict.Crash,
                run.Failure
            );
        string said = ended.Error;
        if (ended.ExitCode is not (0 or 1) || Forbidden.Any(word => said.Contains(word, StringComparison.Ordinal)))
            return (OddVerdict.Crash, $"exit {ended.ExitCode}: {said}");
        if (one.Loads)
            return ended.ExitCode != 0 ? (OddVerdict.WronglyRefused, said)
                : logits() != control ? (OddVerdict.WronglyAccepted, "the logits are not those of the control")
                : (OddVerdict.Clean, "");
        if (ended.ExitCode == 0)
            return (OddVerdict.WronglyAccepted, $"answered '{ended.Output}'");
        return Unhelpful(one, folder, ended) is { } why ? (OddVerdict.Unhelpful, why) : (OddVerdict.Clean, "");
    }

    private static string? Unhelpful(OddCase one, OddFolder folder, ToolRun run)
    {
        string message = run.Error.TrimEnd('\n');
        string place = Printable.Path(folder.Place);
        foreach (string word in one.Words.Select(word => Filled(word, folder)))
            if (!message.Contains(word, StringComparison.Ordinal))
                return $"'{word}' is not in: {message}";
        return run.Bytes.Length > 0 ? $"standard output is not empty: {run.Output}"
            : !run.Error.EndsWith('\n') || message.Any(char.IsControl) ? $"not one line: {message}"
            : !message.StartsWith($"gptoss: {place}", StringComparison.Ordinal) ? $"names no file: {message}"
            : message.Replace(place, "", StringComparison.Ordinal).Length > Longest ? $"too long: {message}"
            : message.EndsWith('…') ? $"cut off: {message}"
            : null;
    }

    // {W} stands for the file of weights, {T} for the tensor that is changed.
    private static string Filled(string word, OddFolder folder) =>
        word.Replace("{W}", folder.Base.Weights, StringComparison.Ordinal)
            .Replace("{T}", $"tensor '{folder.Base.Norm}'", StringComparison.Ordinal);
}
