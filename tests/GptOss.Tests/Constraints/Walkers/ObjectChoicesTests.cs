using GptOss.Constraints;
using GptOss.Constraints.Regular;
using GptOss.Constraints.Walkers;

namespace GptOss.Tests.Constraints.Walkers;

public sealed class ObjectChoicesTests
{
    /// <summary>The definition: a name may come where some way leads on to an end. Here all ways are tried.</summary>
    [Fact]
    public void A_name_may_come_where_trying_every_name_finds_an_end()
    {
        int allowed = 0,
            forbidden = 0;
        for (int seed = 0; seed < 2_000; seed++)
        {
            ObjectPlan plan;
            try
            {
                plan = new ObjectPlan(
                    Shape(new Random(seed)),
                    rule => new Callee(rule),
                    _ => throw new InvalidOperationException(),
                    new CompileBudget()
                );
            }
            catch (LimitException)
            {
                continue; // a circle beside a bound
            }
            ObjectHistory start = ObjectHistory.Start(plan, levels: 0);
            if (!CanEnd(plan, start))
            {
                Assert.False(ObjectChoices.Of(plan, start).IsPossible, $"seed {seed}");
                continue;
            }
            foreach (ObjectHistory history in Histories(plan, start))
            {
                var choices = ObjectChoices.Of(plan, history);
                Assert.Equal(MayClose(plan, history), choices.MayClose);
                for (int sorted = 0; sorted < plan.Count; sorted++)
                {
                    int name = plan.Names.Sorted[sorted];
                    bool expected = CanCome(plan, history, name) && CanEnd(plan, history.With(plan, name));
                    Assert.True(
                        expected == ((choices.Names[0] >> sorted & 1) != 0),
                        $"seed {seed}: name {name} behind {history.Names[0]:b}"
                    );
                    allowed += expected ? 1 : 0;
                    forbidden += expected ? 0 : 1;
                }
            }
        }
        Assert.True(allowed > 1_000 && forbidden > 1_000, $"{allowed} may come, {forbidden} may not");
    }

    private static ObjectShape Shape(Random random)
    {
        var value = new Rule("value");
        value.Alternatives.Add(new TextShape(CodePointDfa.Of(["1"]), IsQuoted: false));
        int count = 1 + random.Next(5),
            min = random.Next(3) == 0 ? random.Next(4) : 0;
        var dependent = new List<(int If, int Then)>();
        for (int pairs = random.Next(5); pairs > 0; pairs--)
            if ((random.Next(count), random.Next(count)) is var pair && pair.Item1 != pair.Item2)
                dependent.Add(pair);
        return new ObjectShape
        {
            Properties =
            [
                .. Enumerable
                    .Range(0, count)
                    .Select(name => new Property(
                        $"n{name}",
                        random.Next(8) == 0 ? null : value,
                        IsRequired: random.Next(5) == 0
                    )),
            ],
            DependentRequired = [.. dependent.Distinct()],
            IsAnyOrder = random.Next(2) == 0,
            MinProperties = min,
            MaxProperties = random.Next(3) == 0 ? min + random.Next(4) : null,
        };
    }

    // All that are reached by names that may come.
    private static IEnumerable<ObjectHistory> Histories(ObjectPlan plan, ObjectHistory start)
    {
        var met = new HashSet<ObjectHistory> { start };
        var open = new Queue<ObjectHistory>(met);
        while (open.TryDequeue(out ObjectHistory? history))
        {
            yield return history;
            for (int name = 0; name < plan.Count; name++)
                if (
                    CanCome(plan, history, name)
                    && history.With(plan, name) is var longer
                    && CanEnd(plan, longer)
                    && met.Add(longer)
                )
                    open.Enqueue(longer);
        }
    }

    private static bool CanEnd(ObjectPlan plan, ObjectHistory history) =>
        MayClose(plan, history)
        || Enumerable
            .Range(0, plan.Count)
            .Any(name => CanCome(plan, history, name) && CanEnd(plan, history.With(plan, name)));

    private static bool CanCome(ObjectPlan plan, ObjectHistory history, int name) =>
        name >= history.Position
        && !history.Has(name)
        && plan.Values[name] is not null
        && !(plan.PositionSaysAll && plan.Shape.Properties.Take(name).Skip(history.Position).Any(p => p.IsRequired));

    // Where a position says all, what is required before it has come: no other way leads there.
    private static bool MayClose(ObjectPlan plan, ObjectHistory history)
    {
        ObjectShape shape = plan.Shape;
        for (int name = 0; name < plan.Count; name++)
            if (shape.Properties[name].IsRequired && !history.Has(name))
                if (!plan.PositionSaysAll || name >= history.Position || plan.Values[name] is null)
                    return false;
        return shape.DependentRequired.All(pair => !history.Has(pair.If) || history.Has(pair.Then))
            && history.Count >= shape.MinProperties
            && history.Count <= (shape.MaxProperties ?? int.MaxValue);
    }
}
