namespace GptOss.Generation;

/// <summary>
/// Makes answers pay for the time that their guides take of everybody's: the loop works out what may come next between
/// two passes, and all others wait for it.
/// </summary>
/// <remarks>
/// What a guide took is owed. Every pass pays as much as it could have taken longer for prompts
/// (<see cref="PassBudget.Left"/>), or half of that while prompts are read, to each an equal part. An answer that owes
/// sits passes out while others decode or are read that owe nothing; where all owe, the least of their debts is
/// forgiven to each. If a pass of 4 rows takes 2 ms, and the mask of a hostile grammar 50 ms, then each of the passes
/// pays 6 ms, and the answer with that grammar takes part in every ninth. The masks of usual schemas take far less than
/// a pass and are paid by the pass that made them.
/// </remarks>
/// <param name="budget">Says what a pass can pay.</param>
internal sealed class GuideDebts(PassBudget budget)
{
    private readonly List<Sequence> _going = [];
    private readonly List<Sequence> _owing = [];

    /// <summary>How many that could decode sit the next pass out.</summary>
    public int Sitting { get; private set; }

    /// <summary>The sequences that may take part in the next pass, in their order. Valid until the next call.</summary>
    /// <param name="running">All that run, oldest first.</param>
    public List<Sequence> Going(List<Sequence> running)
    {
        double least = double.PositiveInfinity;
        foreach (Sequence sequence in running)
            if (sequence.CanChoose)
                least = Math.Min(least, sequence.Guided.OwedSeconds);
        _going.Clear();
        Sitting = 0;
        foreach (Sequence sequence in running)
        {
            sequence.Guided.OwedSeconds = Math.Max(0, sequence.Guided.OwedSeconds - least);
            if (sequence.Guided.OwedSeconds == 0 || sequence.IsReadingPrompt)
                _going.Add(sequence);
            else if (sequence.CanChoose)
                Sitting++;
        }
        return _going;
    }

    /// <summary>What guides took so far, of the sequences of a pass.</summary>
    public static double Spent(List<(Sequence Sequence, int Rows)> shares)
    {
        double seconds = 0;
        foreach ((Sequence sequence, _) in shares)
            seconds += sequence.Guided.SpentSeconds;
        return seconds;
    }

    /// <summary>Pays what a pass can pay; returns how much that was, in seconds.</summary>
    /// <param name="running">All that run, oldest first.</param>
    /// <param name="decodingRows">How many rows of the pass decoded.</param>
    /// <param name="seconds">How long the pass took, without the time of guides.</param>
    public double Pay(List<Sequence> running, int decodingRows, double seconds)
    {
        // Where debts had all of it, prompts had nothing for as long as somebody owes.
        double parts = decodingRows > 0 && running.Exists(static sequence => sequence.IsReadingPrompt) ? 2 : 1,
            most = budget.Left(decodingRows, seconds) / parts,
            left = most;
        _owing.Clear();
        foreach (Sequence sequence in running)
            if (sequence.Guided.OwedSeconds > 0)
                _owing.Add(sequence);
        _owing.Sort(static (one, other) => one.Guided.OwedSeconds.CompareTo(other.Guided.OwedSeconds));
        for (int i = 0; i < _owing.Count; i++)
        {
            double paid = Math.Min(left / (_owing.Count - i), _owing[i].Guided.OwedSeconds);
            _owing[i].Guided.OwedSeconds -= paid;
            left -= paid;
        }
        return decodingRows == 0 ? 0 : most - left;
    }
}
