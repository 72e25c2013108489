using GptOss.Constraints;
using GptOss.Constraints.Regular;
using GptOss.Constraints.Walkers;

namespace GptOss.Tests.Constraints.Walkers;

public sealed class ArrayEndsTests
{
    private const int LongestTried = 9;

    /// <summary>
    /// The definition: an array can be completed where some way leads to an end. Here all ways are tried.
    /// </summary>
    [Fact]
    public void An_array_can_end_where_trying_every_item_finds_an_end()
    {
        int possible = 0,
            impossible = 0;
        for (int seed = 0; seed < 3_000; seed++)
        {
            var random = new Random(seed);
            var plan = new ArrayPlan(Shape(random), rule => new Callee(rule), _ => [], new CompileBudget());
            var ends = new ArrayEnds(plan);
            foreach (int levels in (int[])[0, 1])
            foreach (ArrayHistory history in Histories(plan, ArrayHistory.Start(plan, levels)))
            {
                bool expected = CanEnd(plan, history);
                Assert.True(expected == ends.CanEnd(history), $"seed {seed}, levels {levels}: {history.Count} items");
                possible += expected ? 1 : 0;
                impossible += expected ? 0 : 1;
            }
        }
        Assert.True(possible > 1_000 && impossible > 1_000, $"{possible} can end, {impossible} cannot");
    }

    /// <summary>Ways to count a million items are not tried one by one.</summary>
    [Fact]
    public void Counts_of_any_size_are_told_at_once()
    {
        var shape = new ArrayShape
        {
            Prefix = [],
            Rest = [Item(0, counts: 1), Item(0, counts: 0)],
            MaxItems = 990_000,
            Contains = [(900_000, 950_000)],
        };
        var plan = new ArrayPlan(shape, rule => new Callee(rule), _ => [], new CompileBudget());
        var ends = new ArrayEnds(plan);
        long bytes = GC.GetAllocatedBytesForCurrentThread();
        Assert.True(ends.CanEnd(new ArrayHistory(90_000, [0], 0)));
        Assert.False(ends.CanEnd(new ArrayHistory(90_001, [0], 0)));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - bytes, 0, 10_000);
    }

    private static ArrayShape Shape(Random random)
    {
        var prefix = new List<IReadOnlyList<Item>>();
        for (int count = random.Next(4); count > 0; count--)
            prefix.Add(Items(random));
        int min = random.Next(3);
        return new ArrayShape
        {
            Prefix = prefix,
            Rest = Items(random),
            MinItems = random.Next(4),
            MaxItems = random.Next(2) == 0 ? null : random.Next(6),
            Contains = random.Next(4) == 0 ? [] : [(min, random.Next(2) == 0 ? null : min + random.Next(3))],
        };
    }

    private static List<Item> Items(Random random)
    {
        var items = new List<Item>();
        for (int count = random.Next(4) == 0 ? 0 : 1 + random.Next(2); count > 0; count--)
            items.Add(Item(random.Next(4) == 0 ? 1 : 0, (uint)random.Next(2)));
        return items;
    }

    private static Item Item(int height, uint counts)
    {
        var rule = new Rule("item") { Height = height };
        rule.Alternatives.Add(new TextShape(CodePointDfa.Of(["1"]), IsQuoted: false));
        return new Item(rule, counts);
    }

    private static IEnumerable<ArrayHistory> Histories(ArrayPlan plan, ArrayHistory start)
    {
        var met = new HashSet<ArrayHistory> { start };
        var open = new Queue<(ArrayHistory History, int Length)>([(start, 0)]);
        while (open.TryDequeue(out (ArrayHistory History, int Length) next))
        {
            yield return next.History;
            foreach (int alternative in next.Length < 5 ? plan.At(next.Length) : [])
                if (next.History.With(plan, alternative) is { } longer && met.Add(longer))
                    open.Enqueue((longer, next.Length + 1));
        }
    }

    private static bool CanEnd(ArrayPlan plan, ArrayHistory history, int depth = 0) =>
        history.MayClose(plan)
        || (
            depth < LongestTried
            && plan.At(history.Count)
                .Any(alternative => history.With(plan, alternative) is { } longer && CanEnd(plan, longer, depth + 1))
        );
}
