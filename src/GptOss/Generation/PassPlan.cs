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
internal sealed class PassPlan(SamplerTeam samplers) : IPass
{
    private readonly List<(Sequence Sequence, int Rows)> _shares = [];
    private readonly List<Sequence> _prompts = [];
    private readonly List<Sequence> _chosen = [];
    private readonly List<TokenChoice> _choices = [];

    /// <summary>The sequences of the pass, each with the number of its rows, decoding ones first.</summary>
    public List<(Sequence Sequence, int Rows)> Shares => _shares;

    /// <summary>The sequences for which the last pass has chosen a token, or met a fault.</summary>
    public IReadOnlyList<Sequence> Chosen => _chosen;

    /// <summary>How many rows decode: they follow a prompt that was computed before.</summary>
    public int DecodingRows { get; private set; }

    /// <summary>How many rows belong to prompts.</summary>
    public int PromptRows { get; private set; }

    /// <summary>Plans a pass of the given sequences.</summary>
    /// <remarks>
    /// Every sequence that decodes takes part. The prompts share the rest: each in turn gets an equal part, so that a
    /// short prompt is not held up by a long one, and what a short prompt leaves goes to the next.
    /// </remarks>
    /// <param name="running">The sequences that may take part, oldest first.</param>
    /// <param name="budget">How many rows of prompts the pass may take.</param>
    /// <param name="isBrief">Whether the pass must be short although nobody decodes.</param>
    public void Make(IReadOnlyList<Sequence> running, PassBudget budget, bool isBrief)
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
            {
                _shares.Add((sequence, sequence.Pending.Length));
                DecodingRows += sequence.Pending.Length;
            }
        }
        int left = budget.PromptRows(DecodingRows, isBrief);
        if (left < FewestRows * _prompts.Count)
            ShortestFirst();
        for (int i = 0; i < _prompts.Count && left > 0; i++)
        {
            Sequence sequence = _prompts[i];
            int share = Math.Max(left / (_prompts.Count - i), FewestRows);
            int rows = Math.Min(sequence.Pending.Length, Math.Min(left, share));
            _shares.Add((sequence, rows));
            PromptRows += rows;
            left -= rows;
        }
    }

    // Where there are too few rows for all, a long prompt must not take them from short ones in every pass. Of equals
    // the one that came first stays first.
    private void ShortestFirst()
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
        if (sequence.IsReadingPrompt)
            PromptRows -= _shares[index].Rows;
        else
            DecodingRows -= _shares[index].Rows;
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
        foreach ((Sequence sequence, int rows) in _shares)
        {
            ReadOnlySpan<int> pending = sequence.Pending;
            batch.Add(sequence.Kv, pending[..rows], rows == pending.Length ? Wanted.Last : Wanted.None);
        }
    }

    // The logits are gone when the pass has ended, so the tokens are chosen here and given out after it.
    public void Read(Rows logits)
    {
        _chosen.Clear();
        _choices.Clear();
        foreach ((Sequence sequence, int rows) in _shares)
            if (rows == sequence.Pending.Length)
            {
                // The draw depends on the seed and the position alone, whatever pass computed the logits.
                sequence.Choice.Position = (ulong)sequence.Tokens.Length;
                _choices.Add(sequence.Choice);
                _chosen.Add(sequence);
            }
        samplers.Choose(logits, CollectionsMarshal.AsSpan(_choices));
    }

    public void Clear()
    {
        _shares.Clear();
        _prompts.Clear();
        _chosen.Clear();
        (DecodingRows, PromptRows) = (0, 0);
    }

    // A share below this would cost a pass more for its other work than it brings.
    private const int FewestRows = 16;
}
