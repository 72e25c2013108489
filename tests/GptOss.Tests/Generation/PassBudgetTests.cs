using GptOss.Generation;

namespace GptOss.Tests.Generation;

/// <summary>How many rows of prompts go beside rows that decode.</summary>
public sealed class PassBudgetTests
{
    [Fact]
    public void Where_nobody_decodes_a_prompt_gets_a_whole_chunk()
    {
        var budget = new PassBudget(maxSeconds: 0.2);
        budget.Learn(decodingRows: 0, promptRows: 100, seconds: 100);
        Assert.Equal(512, budget.PromptRows(decodingRows: 0));
    }

    [Fact]
    public void Before_anything_was_measured_a_prompt_gets_some_rows() =>
        Assert.Equal(64, new PassBudget(maxSeconds: 0.2).PromptRows(decodingRows: 3));

    [Theory]
    [InlineData(0.2, 60)] // four times 40 ms are 160 ms: (160 − 40) / 2
    [InlineData(0.1, 30)] // the longest pass is shorter: (100 − 40) / 2
    [InlineData(0.03, 10)] // decoding takes longer than that: half of its 40 ms on top
    [InlineData(0.001, 10)]
    public void The_rows_fit_into_the_time_that_is_left(double maxSeconds, int rows)
    {
        var budget = new PassBudget(maxSeconds);
        budget.Learn(decodingRows: 8, promptRows: 0, seconds: 0.040);
        budget.Learn(decodingRows: 0, promptRows: 100, seconds: 0.200);
        Assert.InRange(budget.PromptRows(decodingRows: 8), rows - 1, rows);
    }

    [Fact]
    public void A_number_of_rows_that_was_never_measured_lies_between_its_neighbours()
    {
        var budget = new PassBudget(maxSeconds: 0.2);
        budget.Learn(decodingRows: 2, promptRows: 0, seconds: 0.020);
        budget.Learn(decodingRows: 8, promptRows: 0, seconds: 0.040);
        budget.Learn(decodingRows: 0, promptRows: 100, seconds: 0.100);
        Assert.InRange(budget.PromptRows(decodingRows: 5), 89, 90); // 30 ms alone, so (120 − 30) / 1
        Assert.InRange(budget.PromptRows(decodingRows: 9), 119, 120);
    }

    [Fact]
    public void Half_of_a_surprise_counts_for_other_numbers_of_rows_too()
    {
        var budget = new PassBudget(maxSeconds: 0.2);
        budget.Learn(decodingRows: 8, promptRows: 0, seconds: 0.080);
        budget.Learn(decodingRows: 1, promptRows: 0, seconds: 0.040);
        for (int i = 0; i < 40; i++)
            budget.Learn(decodingRows: 1, promptRows: 0, seconds: 0.010); // a quarter of the time, and so half
        Assert.Equal(0.010, budget.Seconds(decodingRows: 1), tolerance: 1e-5);
        Assert.Equal(0.040, budget.Seconds(decodingRows: 8), tolerance: 1e-4);
    }

    [Fact]
    public void Behind_a_long_context_few_rows_are_taken_and_not_in_every_pass()
    {
        var budget = new PassBudget(maxSeconds: 0.2);
        budget.Learn(decodingRows: 1, promptRows: 0, seconds: 0.001);
        double decoded = 0,
            prompt = 0,
            seconds = 0;
        for (int pass = 0; pass < 1000; pass++)
        {
            int rows = budget.PromptRows(decodingRows: 1);
            Assert.InRange(rows, 0, pass < 100 ? 64 : 8);
            double took = rows == 0 ? 0.001 : 0.020; // whatever the number of rows
            budget.Learn(decodingRows: 1, promptRows: rows, took);
            (decoded, prompt, seconds) = (decoded + 1, prompt + rows, seconds + took);
        }
        // Undisturbed it would be a thousand tokens a second.
        Assert.InRange(decoded / seconds, 245, 300);
        Assert.InRange(prompt / seconds, 8 * 30, 8 * 50);
    }

    [Fact]
    public void Behind_a_long_context_a_chunk_takes_no_longer_than_twice_the_quickest_one()
    {
        var budget = new PassBudget(maxSeconds: 0.2);
        budget.Learn(decodingRows: 0, promptRows: 512, seconds: 0.512);
        for (int pass = 0; pass < 30; pass++)
        {
            Assert.InRange(budget.PromptRows(decodingRows: 0), 256, 512);
            budget.Learn(decodingRows: 0, promptRows: 512, seconds: 2.048);
        }
        Assert.InRange(budget.PromptRows(decodingRows: 0), 256, 260); // 4 ms each, and twice 512 ms are allowed
        for (int pass = 0; pass < 30; pass++)
            budget.Learn(decodingRows: 0, promptRows: 64, seconds: 6.4);
        Assert.Equal(64, budget.PromptRows(decodingRows: 0));
    }

    [Fact]
    public void A_brief_pass_takes_few_rows_though_there_is_time_for_many()
    {
        var budget = new PassBudget(maxSeconds: 0.2);
        budget.Learn(decodingRows: 3, promptRows: 0, seconds: 0.060);
        budget.Learn(decodingRows: 0, promptRows: 512, seconds: 0.512);
        Assert.InRange(budget.PromptRows(decodingRows: 3), 139, 140);
        Assert.Equal(8, budget.PromptRows(decodingRows: 3, isBrief: true));
    }

    [Fact]
    public void What_was_overdrawn_is_forgotten_when_nobody_decodes()
    {
        var budget = new PassBudget(maxSeconds: 0.2);
        budget.Learn(decodingRows: 1, promptRows: 0, seconds: 0.001);
        budget.Learn(decodingRows: 1, promptRows: 8, seconds: 1);
        Assert.Equal(0, budget.PromptRows(decodingRows: 1));
        budget.Learn(decodingRows: 0, promptRows: 512, seconds: 1);
        Assert.InRange(budget.PromptRows(decodingRows: 1), 8, 512);
    }

    [Fact]
    public void A_slow_pass_counts_for_a_quarter_and_is_forgotten_again()
    {
        var budget = new PassBudget(maxSeconds: 10);
        budget.Learn(decodingRows: 1, promptRows: 0, seconds: 0.010);
        budget.Learn(decodingRows: 0, promptRows: 100, seconds: 0.100);
        budget.Learn(decodingRows: 0, promptRows: 100, seconds: 0.500);
        Assert.InRange(budget.PromptRows(decodingRows: 1), 14, 15);
        for (int i = 0; i < 20; i++)
            budget.Learn(decodingRows: 0, promptRows: 100, seconds: 0.100);
        Assert.InRange(budget.PromptRows(decodingRows: 1), 29, 30);
    }

    [Fact]
    public void A_lone_prompt_gets_large_passes_once_a_chunk_was_measured()
    {
        var budget = new PassBudget(maxSeconds: 0.2);
        Assert.Equal(512, budget.PromptRows(decodingRows: 0, isAlone: true));
        budget.Learn(decodingRows: 0, promptRows: 512, seconds: 0.512);
        Assert.Equal(2048, budget.PromptRows(decodingRows: 0, isAlone: true));
        Assert.Equal(512, budget.PromptRows(decodingRows: 0, isAlone: false));
        Assert.InRange(budget.PromptRows(decodingRows: 0, isBrief: true, isAlone: true), 29, 30);
        Assert.Equal(768, Taught(loneRows: 800).PromptRows(decodingRows: 0, isAlone: true)); // whole pages
    }

    [Fact]
    public void Behind_a_long_context_a_lone_prompt_gets_four_times_a_chunks_time()
    {
        PassBudget budget = Taught();
        for (int pass = 0; pass < 40; pass++)
            budget.Learn(decodingRows: 0, promptRows: 512, seconds: 2 * 0.512);
        Assert.Equal(1024, budget.PromptRows(decodingRows: 0, isAlone: true));
    }

    /// <summary>A row takes 1 ms, 2,048 rows 2.048 s, and whoever arrives waits for twice 512 ms.</summary>
    [Fact]
    public void A_large_pass_ends_for_those_who_arrive_while_too_much_of_it_is_left()
    {
        PassBudget budget = Taught();
        Assert.Equal(1.024, budget.YieldSeconds(promptRows: 2048), tolerance: 1e-9);
        Assert.Equal(0, budget.YieldSeconds(promptRows: 1024), tolerance: 1e-9);
        Assert.Equal(0, budget.YieldSeconds(promptRows: 512));
    }

    /// <summary>A row takes 8 ms: 256 of a lone prompt 2.048 s, 128 beside others as long as one may wait.</summary>
    [Fact]
    public void Behind_a_long_context_a_pass_of_fewer_rows_than_a_chunk_ends_for_those_who_arrive_too()
    {
        PassBudget budget = Taught();
        for (int pass = 0; pass < 60; pass++)
            budget.Learn(decodingRows: 0, promptRows: 256, seconds: 256 * 0.008);
        Assert.Equal(256, budget.PromptRows(decodingRows: 0, isAlone: true));
        Assert.Equal(1.024, budget.YieldSeconds(promptRows: 256), tolerance: 1e-3);
        Assert.InRange(budget.PromptRows(decodingRows: 0, isAlone: false), 128, 129);
        Assert.Equal(0, budget.YieldSeconds(promptRows: 128));
    }

    [Fact]
    public void Behind_a_pass_that_ended_for_others_as_many_rows_follow_in_small_ones()
    {
        PassBudget budget = Taught();
        budget.Yielded();
        for (int pass = 0; pass < 4; pass++)
        {
            Assert.Equal(512, budget.PromptRows(decodingRows: 0, isAlone: true));
            budget.Learn(decodingRows: 0, promptRows: 512, seconds: 0.512);
        }
        Assert.Equal(2048, budget.PromptRows(decodingRows: 0, isAlone: true));
    }

    private static PassBudget Taught(int loneRows = PassBudget.LoneRows)
    {
        var budget = new PassBudget(maxSeconds: 0.2, loneRows);
        budget.Learn(decodingRows: 0, promptRows: 512, seconds: 0.512);
        return budget;
    }
}
