using GptOss.Generation;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Generation;

/// <summary>How many rows of forced runs go into a pass. Passes are planned, and none is computed.</summary>
public sealed class PassPlanTests : IDisposable
{
    private const int Context = 100_000;

    private readonly LoadedModel _model = LoadedModel.Random(new TinyShape(), seed: 1);
    private readonly SchedulerUnderTest _tested;
    private readonly PassPlan _plan;
    private readonly List<Sequence> _running = [];

    public PassPlanTests()
    {
        _tested = new SchedulerUnderTest(_model, new ModelOptions());
        _plan = new PassPlan(_tested.Engine.Samplers, Context);
    }

    public void Dispose()
    {
        foreach (Sequence sequence in _running)
            sequence.Release();
        _tested.Dispose();
        _model.Dispose();
    }

    [Fact]
    public void A_forced_run_beside_which_nobody_decodes_is_computed_whole()
    {
        AddAnswer(pending: 31);
        Make(RoomFor(promptRows: 9, decodingRows: 31));
        Assert.Equal([31], Rows());
        Assert.Equal((31, 0), (_plan.DecodingRows, _plan.PromptRows));

        AddPrompt(100);
        Make(RoomFor(promptRows: 9, decodingRows: 31));
        Assert.Equal([31, 9], Rows());
        Assert.Equal((31, 9), (_plan.DecodingRows, _plan.PromptRows));
    }

    [Fact]
    public void Beside_others_all_of_a_forced_run_but_its_first_row_counts_as_a_prompt()
    {
        foreach (int pending in (int[])[31, 1, 5, 20])
            AddAnswer(pending);
        PassBudget budget = RoomFor(promptRows: 15, decodingRows: 4);
        Make(budget);
        Assert.Equal([6, 1, 5, 7], Rows()); // 15 of three: 5, then 4 of the other 10, and the rest
        Assert.Equal((4, 15), (_plan.DecodingRows, _plan.PromptRows));

        _plan.Remove(_running[0]);
        Assert.Equal((3, 10), (_plan.DecodingRows, _plan.PromptRows));
        _plan.Remove(_running[1]);
        Assert.Equal((2, 10), (_plan.DecodingRows, _plan.PromptRows));

        AddPrompt(100);
        Make(budget);
        Assert.Equal([4, 1, 3, 3, 8], Rows()); // half for the prompt
        Assert.Equal((4, 15), (_plan.DecodingRows, _plan.PromptRows));
    }

    [Fact]
    public void Before_decoding_alone_was_measured_no_forced_run_is_in_the_way_of_that()
    {
        AddAnswer(pending: 31);
        AddAnswer(pending: 1);
        Make(new PassBudget(maxSeconds: 1));
        Assert.Equal([1, 1], Rows());
        Assert.Equal((2, 0), (_plan.DecodingRows, _plan.PromptRows));
    }

    /// <summary>Three answers are forced again and again; a row takes 1 ms, whoever's it is, and a pass 1 ms.</summary>
    [Fact]
    public void A_neighbour_of_forced_runs_keeps_a_quarter_of_its_speed()
    {
        AddAnswer(pending: 1);
        for (int i = 0; i < 3; i++)
            AddAnswer(pending: 31);
        var budget = new PassBudget(maxSeconds: 0.2);
        budget.Learn(decodingRows: 0, promptRows: 100, seconds: 0.101);
        double seconds = 0;
        int passes = 0,
            forced = 0;
        for (; passes < 2_000; passes++)
        {
            Make(budget);
            foreach ((Sequence sequence, int rows) in _plan.Shares)
            {
                sequence.Kv.Advance(rows);
                int place = _running.IndexOf(sequence);
                forced += place == 0 ? 0 : rows;
                if (!sequence.Pending.IsEmpty)
                    continue;
                sequence.Release(); // nobody reads, so that there is soon no room for more tokens
                _running[place] = Answer(place == 0 ? 1 : 31);
            }
            double took = 0.001 * (1 + _plan.DecodingRows + _plan.PromptRows);
            budget.Learn(_plan.DecodingRows, _plan.PromptRows, took);
            seconds += took;
        }
        double alone = 0.005;
        Assert.InRange(seconds / passes, 3 * alone, 4.1 * alone);
        Assert.InRange(forced / (double)passes, 12, 18.5); // decoding alone makes 3
    }

    private void AddAnswer(int pending) => _running.Add(Answer(pending));

    private void AddPrompt(int tokens) => _running.Add(New(tokens));

    // Behind a prompt of one token.
    private Sequence Answer(int pending)
    {
        Sequence sequence = New(promptTokens: 1);
        sequence.Kv.Advance(1);
        for (int i = 0; i < pending; i++)
            sequence.Take(new GeneratedToken(1), Context);
        return sequence;
    }

    private Sequence New(int promptTokens) =>
        new(
            new GenerationRequest { Prompt = new int[promptTokens] },
            _tested.Engine.Cache.NewSequence(),
            _tested.Engine.Instruments,
            () => { },
            default,
            default
        );

    private void Make(PassBudget budget) => _plan.Make(_running, budget, isBrief: false);

    private int[] Rows() => [.. _plan.Shares.Select(share => share.Rows)];

    // Three seconds are left for prompts beside rows that decode, which take one.
    private static PassBudget RoomFor(int promptRows, int decodingRows)
    {
        var budget = new PassBudget(maxSeconds: 100);
        budget.Learn(decodingRows, promptRows: 0, seconds: 1);
        budget.Learn(decodingRows: 0, promptRows: 1, seconds: 3 / (promptRows + 0.01));
        return budget;
    }
}
