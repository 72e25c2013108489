using System.Diagnostics;
using GptOss.Sampling;

namespace GptOss.Generation;

/// <summary>
/// Asks the guide of a request about every token of the answer, keeps the tokens that it dictates until they are taken
/// in, and tells the sampler which ones are allowed.
/// </summary>
/// <remarks>
/// What the guide throws is returned, so that it ends its own request and no pass of others; null where it throws
/// nothing.
/// </remarks>
/// <param name="guide">The guide of the request; null where everything is left to the model.</param>
/// <param name="choice">How the next token is chosen; gets the tokens that are allowed.</param>
/// <param name="telemetry">Gets the time that the guide takes.</param>
internal sealed class GuidedTokens(ITokenGuide? guide, TokenChoice choice, Telemetry telemetry)
{
    private readonly Queue<int> _dictated = new();

    /// <summary>Whether the model may choose the next token.</summary>
    public bool IsEmpty => _dictated.Count == 0;

    /// <summary>How long the guide took in all.</summary>
    public double SpentSeconds { get; private set; }

    /// <summary>How much of that nobody has paid for yet.</summary>
    public double OwedSeconds { get; set; }

    /// <summary>Takes the next token that was dictated, if there is one.</summary>
    public bool TryTake(out int token) => _dictated.TryDequeue(out token);

    /// <summary>Asks the guide about the first token of the answer.</summary>
    public Exception? Begin() => Guarded(static (asked, _) => asked.Begin(), 0);

    /// <summary>Tells the guide a token of the answer, and asks about the next.</summary>
    public Exception? Ask(int token) => Guarded(static (asked, told) => asked.After(told), token);

    /// <summary>How many of the guessed tokens may come; all of them where the guide throws, since a pass asks it
    /// again.</summary>
    public int CountAllowed(ReadOnlySpan<int> guess)
    {
        if (guide is null || guess.IsEmpty)
            return guess.Length;
        using var foreign = new ForeignCode();
        long started = Stopwatch.GetTimestamp();
        try
        {
            return guide.CountAllowed(guess);
        }
        catch (Exception)
        {
            return guess.Length;
        }
        finally
        {
            Owe(started);
        }
    }

    /// <summary>What the caller is told where the bias of the request forbids all tokens that are allowed.</summary>
    public InvalidOperationException Forbidden() =>
        new(
            $"No token can be chosen: {guide?.Name ?? "the vocabulary"} allows {choice.Allowed?.Count ?? 0} here, and "
                + "LogitBias forbids each of them. Leave one of them a value above negative infinity."
        );

    /// <summary>What the caller of a script is told whose token is not allowed.</summary>
    public InvalidOperationException Refused(int token) =>
        new($"The script's next token, {token}, cannot come here: {guide?.Name} does not allow it.");

    private Exception? Guarded(Func<ITokenGuide, int, Guidance> ask, int token)
    {
        if (guide is null)
            return null;
        using var foreign = new ForeignCode();
        long started = Stopwatch.GetTimestamp();
        try
        {
            Guidance guidance = ask(guide, token);
            foreach (int next in guidance.Dictated)
                _dictated.Enqueue(next);
            (choice.Allowed, choice.Spared) = (guidance.Allowed, guidance.Spared);
            if (guidance.Allowed is not null)
                telemetry.Masked(started);
            return null;
        }
        catch (Exception error)
        {
            return error;
        }
        finally
        {
            Owe(started);
        }
    }

    private void Owe(long started)
    {
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        SpentSeconds += seconds;
        OwedSeconds += seconds;
    }
}
