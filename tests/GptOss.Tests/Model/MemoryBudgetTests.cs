using GptOss.Model;

namespace GptOss.Tests.Model;

/// <summary>
/// The default budget is half of what is free, at least one context of 4,096 tokens, at most what all that run can use.
/// </summary>
public sealed class MemoryBudgetTests
{
    private const int Context = 131_072,
        Running = 16;

    // 64,000 bytes for each page of full layers: 1,000 bytes a token.
    private static readonly PageGroup[] Full = [new([0], window: int.MaxValue, layerBytes: 64_000)];

    [Theory]
    [InlineData(1_000_000_000, 500_000_000)] // half
    [InlineData(8_000_000, 4_096_000)] // less than one context of 4,096
    [InlineData(-5_000_000_000, 4_096_000)] // the weights alone do not fit
    [InlineData(1_000_000_000_000, 131_072_000L * 16)] // more than 16 full contexts can use
    public void The_budget_is_half_of_what_is_free_within_a_least_and_a_most(long free, long budget) =>
        Assert.Equal(budget, MemoryBudget.Of(free, Context, Running, Full));

    [Fact]
    public void A_context_below_4096_needs_no_more_than_itself() =>
        Assert.Equal(128_000, MemoryBudget.Of(free: 0, contextLength: 100, Running, Full));

    [Fact]
    public void Sizes_beyond_64_bits_are_no_obstacle()
    {
        PageGroup[] large = [new([0, 1], window: int.MaxValue, layerBytes: 1L << 39)];
        Assert.Equal(1L << 59, MemoryBudget.Of(1L << 60, contextLength: 1 << 27, Running, large));
    }

    [Fact]
    public void The_memory_of_this_machine_is_found()
    {
        long available = MemoryBudget.AvailableBytes();
        Assert.InRange(available, 1 << 20, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
    }

    [Fact]
    public void Mapped_weights_leave_so_much_less()
    {
        using var model = LoadedModel.Random(new Oracles.TinyShape { OriginalContext = 1 << 20 }, seed: 1);
        ModelConfig config = model.Engine.Weights.Config;
        long all = Default(weightBytes: 0),
            none = Default(weightBytes: long.MaxValue / 2);
        Assert.Equal(PageGroup.MostBytes(model.Engine.Cache.Pool.Groups, 4096, 512), none);
        Assert.InRange(all, none + 1, long.MaxValue);
        Assert.InRange(model.Engine.Cache.Pool.BudgetBytes, none, all + all / 4);

        long Default(long weightBytes) =>
            MemoryBudget.Default(config, KeyValueFormat.Float32, config.MaxPositions, Running, weightBytes);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 65)]
    [InlineData(16, 1)]
    [InlineData(64, 2)]
    [InlineData(66, 1)] // 66 positions touch three pages: 63 to 128
    [InlineData(128, 512)]
    [InlineData(100, 70)]
    [InlineData(int.MaxValue, 512)]
    public void A_sequence_holds_no_more_pages_than_is_reckoned_and_may_hold_as_many(int window, int rows)
    {
        const int Length = 1500;
        var group = new PageGroup([0], window, layerBytes: 64);
        using var pool = new PagePool([group], budgetBytes: 1 << 20);
        var random = new Random(6);
        long most = 0;
        for (int round = 0; round < 20; round++)
        {
            using KvSequence sequence = new(pool);
            while (sequence.Length < Length)
            {
                int count = Math.Min(random.Next(4) == 0 ? random.Next(1, rows + 1) : rows, Length - sequence.Length);
                sequence.Reserve(sequence.Length + count);
                most = Math.Max(most, pool.RentedBytes / group.PageBytes);
                sequence.Advance(count);
            }
        }
        Assert.Equal(group.MostPages(Length, rows), most);
    }
}
