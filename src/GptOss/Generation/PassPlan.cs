// Longer than the budget: a plan is made, cut and read back in one place, and its lists are shared by all three.
using System.Runtime.InteropServices;
using GptOss.Kernels;
using GptOss.Model;
using GptOss.Sampling;

namespace GptOss.Generation;

/// <summary>
/// One pass of the scheduler: for each sequence how many of its pending tokens are computed, and then the tokens that
/// were chosen from the logits.
/// </summary>
/// <remarks>Reused from pass to pass, so that its lists do not grow anew for each.</remarks>
/// <param name="samplers">Chooses the tokens from the logits of a pass.</param>
/// <param name="contextLength">The most tokens of a sequence.</param>
internal sealed class PassPlan(SamplerTeam samplers, int contextLength) : IPass
{
    private readonly List<(Sequence Sequence, int Rows)> _shares = [];
    private readonly List<Sequence> _prompts = [];
    private readonly List<Sequence> _chosen = [];
    private readonly List<Verified> _open = [];
    private readonly List<TokenChoice> _choices = [];
    private readonly List<int> _tokens = [];
    private bool _isShared;

    /// <summary>The sequences of the pass, each with the number of its rows, decoding ones first.</summary>
    public List<(Sequence Sequence, int Rows)> Shares => _shares;

    /// <summary>The sequences for which the last pass has chosen a token, or met a fault.</summary>
    public IReadOnlyList<Sequence> Chosen => _chosen;

    /// <summary>
    /// How many rows decode: the first pending row of each sequence whose prompt was computed before, with all others
    /// of a sequence beside which nobody decodes, and the guessed ones.
    /// </summary>
    public int DecodingRows { get; private set; }

    /// <summary>
    /// How many rows belong to prompts, or to forced runs behind the first row of each where others decode too.
    /// </summary>
    public int PromptRows { get; private set; }

    /// <summary>Plans a pass of the given sequences.</summary>
    /// <remarks>
    /// Every sequence that decodes takes part. The prompts share the rest: each gets an equal part, the one with the
    /// fewest pending tokens first, and what it leaves goes to the longer ones. So a short prompt is not held up by a
    /// long one. Of equals the one that came first stays first, also where the rows do not divide: of 33 rows the first
    /// of two prompts gets 17. So no prompt is overtaken by one that came later and is no shorter.
    /// <para>
    /// Of a forced run the first row decodes. Where others decode, the rest of the run holds them up as a prompt does,
    /// and counts as one: forced runs share what the pass may take of prompts, or half of that while prompts are read.
    /// </para>
    /// </remarks>
    /// <param name="running">The sequences that may take part, oldest first.</param>
    /// <param name="budget">How many rows of prompts the pass may take.</param>
    /// <param name="isBrief">Whether the pass must be short, whoever decodes.</param>
    /// <param name="isAlone">Whether nobody waits beside the one sequence that runs.</param>
    /// <param name="sitting">How many answers sit the pass out (<see cref="GuideDebts"/>).</param>
    public void Make(
        IReadOnlyList<Sequence> running,
        PassBudget budget,
        bool isBrief,
        bool isAlone = false,
        int sitting = 0
    )
    {
        Clear();
        foreach (Sequence sequence in running)
        {
            // Asked once, since a reader on another thread makes room at any time. A sequence that was paused may have
            // no room though it reads its prompt again.
            if (!sequence.CanChoose)
                continue;
            if (sequence.IsReadingPrompt)
                _prompts.Add(sequence);
            else
                _shares.Add((sequence, 1));
        }
        _isShared = _shares.Count > 1;
        if (_shares.Count == 1)
            _shares[0] = (_shares[0].Sequence, _shares[0].Sequence.Pending.Length);
        foreach ((_, int rows) in _shares)
            DecodingRows += rows;
        // Nothing is known of decoding rows alone before a pass without others.
        bool isMeasured = budget.Seconds(DecodingRows) > 0;
        (double expected, int guessed) = (_shares.Count, 0);
        for (int i = 0; i < _shares.Count; i++)
            AddGuess(i, budget, ref expected, ref guessed);
        int left =
            DecodingRows == 0 && sitting > 0 && !isBrief
                ? budget.RowsInsteadOf(sitting)
                : budget.PromptRows(DecodingRows, isBrief, isAlone);
        if (isMeasured)
            AddForced(_prompts.Count > 0 ? left / 2 : left);
        left -= PromptRows;
        SortPrompts();
        for (int i = 0; i < _prompts.Count && left > 0; i++)
        {
            Sequence sequence = _prompts[i];
            int others = _prompts.Count - i - 1;
            int share = Math.Max((left + others) / (others + 1), FewestRows);
            int rows = Math.Min(sequence.Pending.Length, Math.Min(left, share));
            _shares.Add((sequence, rows));
            PromptRows += rows;
            left -= rows;
        }
    }

    // The rest of forced runs: an equal part for each, and what one leaves goes to those behind it.
    private void AddForced(int left)
    {
        int waiting = 0;
        foreach ((Sequence sequence, int rows) in _shares)
            waiting += rows < sequence.Pending.Length ? 1 : 0;
        for (int i = 0; waiting > 0 && left > 0; i++)
        {
            (Sequence sequence, int rows) = _shares[i];
            if (rows >= sequence.Pending.Length)
                continue;
            int more = Math.Min(sequence.Pending.Length - rows, (left + waiting - 1) / waiting--);
            _shares[i] = (sequence, rows + more);
            PromptRows += more;
            left -= more;
        }
    }

    // Those with the fewest pending tokens first. In place, and of equals the first stays first, which List.Sort does
    // not promise.
    private void SortPrompts()
    {
        for (int i = 1; i < _prompts.Count; i++)
        for (int j = i; j > 0 && _prompts[j].Pending.Length < _prompts[j - 1].Pending.Length; j--)
            (_prompts[j], _prompts[j - 1]) = (_prompts[j - 1], _prompts[j]);
    }

    /// <summary>Takes a sequence out of the pass.</summary>
    public void Remove(Sequence sequence)
    {
        int index = _shares.FindIndex(share => share.Sequence == sequence);
        if (index < 0)
            return;
        int rows = _shares[index].Rows,
            forced = _isShared ? Math.Min(rows, sequence.Pending.Length) - 1 : 0,
            prompt = sequence.IsReadingPrompt ? rows : forced;
        PromptRows -= prompt;
        DecodingRows -= rows - prompt;
        _shares.RemoveAt(index);
    }

    /// <summary>Plans a pass of one sequence with half of the rows that it has.</summary>
    public void Halve() => MakeAlone(_shares[0].Sequence, _shares[0].Rows / 2);

    /// <summary>Plans a pass of one sequence.</summary>
    public void MakeAlone(Sequence sequence, int rows)
    {
        Clear();
        _shares.Add((sequence, rows));
        (DecodingRows, PromptRows) = sequence.IsReadingPrompt ? (0, rows) : (rows, 0);
    }

    public void Fill(Batch batch)
    {
        _open.Clear();
        Span<int> wanted = stackalloc int[PromptLookup.MostGuessed + 1];
        int row = 0;
        for (int run = 0; run < _shares.Count; run++)
        {
            (Sequence sequence, int rows) = _shares[run];
            ReadOnlySpan<int> pending = sequence.Pending;
            if (rows < pending.Length)
            {
                batch.Add(sequence.Kv, pending[..rows], Wanted.None);
                continue;
            }
            _tokens.Clear();
            _tokens.AddRange(pending);
            _tokens.AddRange(sequence.Guess(rows - pending.Length));
            int choices = rows - pending.Length + 1;
            for (int i = 0; i < choices; i++)
                wanted[i] = pending.Length - 1 + i;
            batch.Add(sequence.Kv, CollectionsMarshal.AsSpan(_tokens), wanted[..choices]);
            _open.Add(new Verified(sequence, run, pending.Length, choices));
            sequence.Choice.Row = row;
            row += choices;
        }
    }

    // The logits are gone when the pass has ended, so the tokens are taken in here and given out after it. Of the rows
    // of one sequence each waits for the token before it, which penalties and limits count.
    public void Read(Rows logits, Batch batch)
    {
        _chosen.Clear();
        foreach (Verified verified in _open)
        {
            _chosen.Add(verified.Sequence);
            verified.Sequence.Telemetry.Guessed(verified.Choices - 1);
        }
        for (int taken = 1; _open.Count > 0; taken++)
        {
            _choices.Clear();
            foreach (Verified verified in _open)
            {
                // The draw depends on the seed and the position alone, whatever pass computed the logits.
                verified.Sequence.Choice.Position = (ulong)verified.Sequence.Tokens.Length;
                _choices.Add(verified.Sequence.Choice);
            }
            samplers.Choose(logits, CollectionsMarshal.AsSpan(_choices));
            for (int i = _open.Count - 1; i >= 0; i--)
            {
                Verified verified = _open[i];
                batch.Keep(verified.Run, verified.Pending + taken - 1);
                if (!TryGoOn(verified, taken, batch))
                    _open.RemoveAt(i);
            }
        }
    }

    // What fails for one sequence ends that one, since others may have taken in their tokens by now.
    private bool TryGoOn(Verified verified, int taken, Batch batch)
    {
        try
        {
            return GoesOn(verified, taken, batch);
        }
        catch (Exception fault)
        {
            verified.Sequence.Choice.Fault = fault;
            return false;
        }
    }

    // Takes in a chosen token. The next row counts if the token is the one that was guessed for it.
    private bool GoesOn(Verified verified, int taken, Batch batch)
    {
        TokenChoice choice = verified.Sequence.Choice;
        int token = verified.Sequence.Chosen();
        if (token < 0)
            return false;
        float? logProbability = choice.Likely is null ? null : choice.LogProbability;
        bool canGoOn = verified.Sequence.Take(new GeneratedToken(token, logProbability, choice.Likely), contextLength);
        int next = batch.Runs[verified.Run].FirstRow + verified.Pending + taken - 1;
        bool isGuessed = taken < verified.Choices && batch.Tokens[next] == token;
        if (!canGoOn || !isGuessed)
            return false;
        choice.Row++;
        verified.Sequence.Telemetry.Accepted();
        return true;
    }

    // Guesses as many tokens as let all sequences of the pass together make the most tokens a second. With a share p of
    // right guesses, k guesses bring 1 + p + p² + … + pᵏ tokens; how long more rows take was measured. The tokens that
    // are expected of the pass, and the guesses, are counted from one sequence to the next.
    private void AddGuess(int index, PassBudget budget, ref double expected, ref int guessed)
    {
        (Sequence sequence, int rows) = _shares[index];
        if (rows < sequence.Pending.Length)
            return;
        int most = Math.Min(sequence.MostGuessed(contextLength), MostGuessedRows - guessed),
            best = 0;
        double tokens = expected,
            gain = 1,
            fastest = tokens / budget.Seconds(DecodingRows);
        for (int more = 1; more <= most; more++)
        {
            gain *= sequence.RightShare;
            tokens += gain;
            double speed = tokens / budget.Seconds(DecodingRows + more);
            if (speed > fastest)
                (best, fastest, expected) = (more, speed, tokens);
        }
        _shares[index] = (sequence, rows + best);
        DecodingRows += best;
        guessed += best;
    }

    /// <summary>
    /// Leaves out the guessed tokens of a share, for which no page is left; false where it has none.
    /// </summary>
    public bool TryDropGuess(int index)
    {
        (Sequence sequence, int rows) = _shares[index];
        int guessed = rows - sequence.Pending.Length;
        if (guessed <= 0)
            return false;
        _shares[index] = (sequence, rows - guessed);
        DecodingRows -= guessed;
        return true;
    }

    public void Clear()
    {
        _shares.Clear();
        _prompts.Clear();
        _chosen.Clear();
        _open.Clear();
        (DecodingRows, PromptRows, _isShared) = (0, 0, false);
    }

    // A share below this would cost a pass more for its other work than it brings.
    private const int FewestRows = 16;

    // Each guess has a row of logits, 0.8 MB for the vocabulary of gpt-oss.
    private const int MostGuessedRows = 64;

    /// <summary>A sequence for which tokens are chosen in the pass.</summary>
    /// <param name="Sequence">The sequence that takes the tokens in.</param>
    /// <param name="Run">Index of its run in the batch.</param>
    /// <param name="Pending">How many rows of the run are tokens of the sequence; guessed ones follow.</param>
    /// <param name="Choices">How many of its rows have logits.</param>
    private readonly record struct Verified(Sequence Sequence, int Run, int Pending, int Choices);
}
