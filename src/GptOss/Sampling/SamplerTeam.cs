using GptOss.Kernels;
using GptOss.Threading;

namespace GptOss.Sampling;

/// <summary>
/// Chooses the next tokens of several sequences after one pass: the team shares out the rows of logits, and each thread
/// has a sampler of its own.
/// </summary>
/// <remarks>
/// Which thread chooses a token does not change the token. A row that fails fails alone: its fault is kept in its
/// <see cref="TokenChoice"/>, and the other rows get their tokens. One caller at a time, the one that runs the passes.
/// </remarks>
/// <param name="team">The threads that share out the rows.</param>
// Bound: Choose has compared each choice's row with the rows of the logits, and a row has their width.
internal sealed unsafe class SamplerTeam(WorkerTeam team)
{
#pragma warning disable CS8500 // The pointers to managed types lead to locals of a frame that outlives the call.

    private readonly Sampler[] _samplers = [.. Enumerable.Range(0, team.Workers).Select(_ => new Sampler())];
    private readonly LogProbabilities[] _probabilities =
    [
        .. Enumerable.Range(0, team.Workers).Select(_ => new LogProbabilities()),
    ];

    /// <summary>Called before each choice by the thread that makes it; a test puts something here that fails.</summary>
    internal Action? Choosing { get; set; }

    /// <summary>Makes each choice from its row of the logits, and writes what came of it into the choice.</summary>
    /// <param name="logits">The rows, [rows, vocab]; bias and penalties change them in place.</param>
    /// <param name="choices">The choices, each with the index of its row. No two share a row or a history.</param>
    public void Choose(Rows logits, ReadOnlySpan<TokenChoice> choices)
    {
        foreach (TokenChoice choice in choices)
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(choice.Row, logits.Count);
        SamplerTeam self = this;
        fixed (float* values = logits.Values)
        fixed (TokenChoice* first = choices)
        {
            var call = new ChooseCall
            {
                Owner = &self,
                Choices = first,
                Logits = values,
                Vocabulary = logits.Width,
            };
            team.ForItems(choices.Length, 1, 1, &ChooseRows, &call, CancellationToken.None);
        }
    }

    private static void ChooseRows(void* state, int worker, int first, int end)
    {
        ref ChooseCall call = ref *(ChooseCall*)state;
        for (int i = first; i < end; i++)
        {
            TokenChoice choice = call.Choices[i];
            float* row = call.Logits + (long)choice.Row * call.Vocabulary;
            call.Owner->ChooseRow(new Span<float>(row, call.Vocabulary), choice, worker);
        }
    }

    private void ChooseRow(Span<float> logits, TokenChoice choice, int worker)
    {
        (choice.Token, choice.Fault, choice.Likely, choice.IsForbidden) = (-1, null, null, false);
        try
        {
            choice.IsDamaged = !Sampler.CanBeSampled(logits);
            if (choice.IsDamaged)
                return;
            Choosing?.Invoke();
            LogProbabilities probabilities = _probabilities[worker];
            if (choice.LogProbabilities is not null)
                probabilities.Take(logits); // before bias and penalties change the logits
            int token = _samplers[worker].Next(logits, choice);
            choice.IsForbidden = token == Sampler.None;
            if (choice.IsForbidden)
                return;
            if (choice.LogProbabilities is { } count)
                (choice.LogProbability, choice.Likely) = (probabilities.Of(token), probabilities.Best(count));
            choice.Token = token;
        }
        catch (Exception fault)
        {
            choice.Fault = fault;
        }
    }

    /// <summary>What the workers of one call of <see cref="Choose"/> share.</summary>
    private struct ChooseCall
    {
        public SamplerTeam* Owner;
        public TokenChoice* Choices;
        public float* Logits;
        public int Vocabulary;
    }
}
