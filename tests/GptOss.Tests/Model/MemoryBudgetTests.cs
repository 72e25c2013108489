using GptOss.Model;

namespace GptOss.Tests.Model;

/// <summary>
/// The default budget is half of what is free, at least one context of 4,096 tokens, at most what all that run can use.
/// </summary>
[Promise(19)]
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

    [Theory]
    [InlineData(100, 80, 0, 0, 80)] // other processes hold 20
    [InlineData(100, 200, 0, 0, 100)] // a container's limit, on a larger machine
    [InlineData(100, 80, 30, 0, 50)] // mapped weights count as free, and are needed
    [InlineData(100, 80, 0, 10, 80)] // copies do not count as free any more
    [InlineData(100, 200, 30, 10, 60)] // but a limit knows of neither
    [InlineData(100, null, 30, 10, 60)] // a system that does not tell what is free
    [InlineData(100, 80, 200, 0, -120)] // the weights do not fit
    public void What_is_free_beside_the_weights_counts_each_of_them_once(
        long limit,
        int? free,
        long mapped,
        long copied,
        long beside
    ) => Assert.Equal(beside, MemoryBudget.Beside(new WeightBytes(mapped, copied), limit, free));

    [Fact]
    public void Copies_of_weights_are_told_apart_from_mapped_ones()
    {
        using var plain = LoadedModel.Random(new Oracles.TinyShape(), seed: 1);
        using var fast = LoadedModel.Random(new Oracles.TinyShape(), seed: 1, precision: Precision.Fast);
        WeightBytes stored = plain.Model.Source.Folder.WeightBytes,
            packed = fast.Model.Source.Folder.WeightBytes;
        Assert.Equal(0, stored.Copied);
        Assert.InRange(packed.Copied, 1, stored.Mapped);
        Assert.InRange(packed.Mapped, 1, stored.Mapped - packed.Copied); // 8.5 bits take the place of 16
    }

    [Fact]
    public void A_budget_is_told_in_pages_and_in_tokens_that_every_layer_holds()
    {
        PageGroup[] groups = [new([0, 2], int.MaxValue, layerBytes: 1000), new([1, 3], window: 128, layerBytes: 1000)];
        Assert.Equal(
            new BudgetFigures(11_999, Pages: 5, Tokens: 128, IsDefault: true),
            BudgetFigures.Of(groups, 11_999, isDefault: true)
        );
        Assert.Equal(64_000, BudgetFigures.Of(Full, 64_000_000, isDefault: false).Tokens);
    }

    [Fact]
    public void The_memory_of_this_machine_is_found()
    {
        long available = FreeMemory.Bytes();
        Assert.InRange(available, 1 << 20, FreeMemory.LimitBytes);
    }

    [Theory]
    [InlineData("0::/", "memory.max", "1000\n", 1000L)]
    [InlineData("0::/a/b", "a/b/memory.max", "1000\n", 1000L)]
    [InlineData("0::/a/b", "a/memory.max", "1000\n", 1000L)] // the limit of the group above
    [InlineData("0::/not/here", "memory.max", "1000\n", 1000L)] // the path of the host, in a container
    [InlineData("3:cpu,memory:/a", "memory/a/memory.limit_in_bytes", "1000\n", 1000L)]
    [InlineData("3:memory:/not/here", "memory/memory.limit_in_bytes", "1000\n", 1000L)]
    [InlineData("3:memory:/", "memory/memory.limit_in_bytes", "9223372036854771712\n", null)] // none
    [InlineData("0::/a", "a/memory.max", "max\n", null)]
    [InlineData("3:cpu:/a", "memory/a/memory.limit_in_bytes", "1000\n", null)]
    [InlineData("nonsense", "memory.max", "1000\n", null)]
    public void The_limit_of_a_container_is_found(string group, string file, string limit, long? found)
    {
        using var folder = new TemporaryFolder();
        string groups = Path.Join(folder.Path, "groups"),
            path = Path.Join(folder.Path, file);
        File.WriteAllText(groups, "1:name=systemd:/x\n" + group + "\n");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, limit);
        Assert.Equal(found, FreeMemory.OfGroups(groups, folder.Path));
        Assert.Null(FreeMemory.OfGroups(Path.Join(folder.Path, "none"), folder.Path));
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
            MemoryBudget.Default(
                config,
                KeyValueFormat.Float32,
                config.MaxPositions,
                Running,
                new WeightBytes(weightBytes, 0)
            );
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
