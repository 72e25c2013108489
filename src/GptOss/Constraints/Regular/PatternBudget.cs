namespace GptOss.Constraints.Regular;

/// <summary>The work that one pattern, or one operation on automata, may take of a compilation's budget.</summary>
/// <remarks>A step stands for about five nanoseconds, so what costs more takes several.</remarks>
/// <param name="whole">The budget of the whole compilation.</param>
internal sealed class PatternBudget(CompileBudget whole)
{
    /// <summary>The most characters of a pattern.</summary>
    public const int MostCharacters = 4_096;

    /// <summary>The most states of an automaton of which a text can end from every state.</summary>
    public const int MostStates = 20_000;

    /// <summary>The most states before those are left out from which no text can end.</summary>
    public const int MostStatesBeforeTrim = 60_000;

    /// <summary>The most edges of an automaton: 12 MB. A class of letters of all scripts has 650.</summary>
    public const int MostEdges = 1_000_000;

    /// <summary>The most steps of one pattern.</summary>
    public const long MostSteps = 15_000_000;

    // Automata take more memory for a step than other work.
    private const int StepsOfWhole = 4;

    private long _steps;

    /// <summary>Takes some steps, also of the whole compilation.</summary>
    /// <exception cref="LimitException">The pattern has taken more than <see cref="MostSteps"/>.</exception>
    public void Take(long steps)
    {
        whole.Take(StepsOfWhole * steps);
        _steps += steps;
        if (_steps > MostSteps)
            throw new LimitException($"takes more than {MostSteps:N0} steps to compile");
    }
}
