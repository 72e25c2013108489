using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Schemas;

/// <summary>The fewest levels of an object, and which of its properties have a value.</summary>
internal static class ObjectHeight
{
    private const int None = int.MaxValue;

    /// <summary>The height of a shape by those of its values so far; <see cref="None"/> without a value.</summary>
    public static int Of(ObjectShape shape)
    {
        bool[] canCome = Possible(shape);
        bool[] hasToCome = Necessary(shape);
        int count = hasToCome.Count(has => has) + shape.MinCounted,
            height = shape.MinCounted > 0 ? Lowest(shape.Extras.Where(extra => extra.Counts)) : 0;
        for (int index = 0; index < hasToCome.Length; index++)
            if (hasToCome[index])
                height = Math.Max(height, canCome[index] ? shape.Properties[index].Value!.Height : None);
        if (height == None || count > shape.MaxProperties)
            return None;
        int missing = shape.MinProperties - count;
        if (missing > 0)
            height = Math.Max(height, HeightOfMore(shape, missing, index => canCome[index] && !hasToCome[index]));
        return height == None ? None : height + 1;
    }

    /// <summary>The shape without properties that have no value; what others make necessary is required.</summary>
    public static ObjectShape Pruned(ObjectShape shape)
    {
        bool[] canCome = Possible(shape);
        bool[] hasToCome = Necessary(shape);
        Property[] properties = [.. shape.Properties];
        for (int index = 0; index < properties.Length; index++)
            properties[index] = properties[index] with
            {
                Value = canCome[index] ? properties[index].Value : null,
                IsRequired = hasToCome[index],
            };
        return shape with
        {
            Properties = properties,
            DependentRequired = [.. shape.DependentRequired.Where(pair => canCome[pair.If] && !hasToCome[pair.Then])],
            Extras = [.. shape.Extras.Where(extra => extra.Values.Height != None)],
        };
    }

    // The lowest of the optional properties make up a number; extra ones come as often as there are such names.
    private static int HeightOfMore(ObjectShape shape, int missing, Func<int, bool> isOptional)
    {
        int extra = Lowest(shape.Extras);
        int[] lowest =
        [
            .. Enumerable
                .Range(0, shape.Properties.Count)
                .Where(isOptional)
                .Select(index => shape.Properties[index].Value!.Height)
                .Concat(extra == None ? [] : Enumerable.Repeat(extra, (int)Math.Min(ExtraNames(shape), missing)))
                .Order()
                .Take(missing),
        ];
        return lowest.Length < missing ? None : lowest[^1];
    }

    private static int Lowest(IEnumerable<ExtraProperties> extras) =>
        extras.Select(extra => extra.Values.Height).DefaultIfEmpty(None).Min();

    // The extra names that have a value; a declared one is none of them.
    private static long ExtraNames(ObjectShape shape)
    {
        long names = 0;
        foreach (ExtraProperties extra in shape.Extras)
            if (extra.Values.Height != None && !extra.Counts)
            {
                long all = extra.Names.Measures.Texts(CodePointDfa.Start),
                    declared = all == long.MaxValue ? 0 : shape.Properties.Count(p => extra.Names.Accepts(p.Name));
                names = Math.Min(names + Math.Min(all - declared, SchemaValue.MostSize), SchemaValue.MostSize);
            }
        return names;
    }

    // The declared properties that have a value, and whose companions have one.
    private static bool[] Possible(ObjectShape shape)
    {
        bool[] canCome = [.. shape.Properties.Select(property => property.Value is { Height: not None })];
        Follow(shape, backwards: true, name => !canCome[name], name => canCome[name] = false);
        return canCome;
    }

    // The required properties, their companions, and so on.
    private static bool[] Necessary(ObjectShape shape)
    {
        bool[] hasToCome = [.. shape.Properties.Select(property => property.IsRequired)];
        Follow(shape, backwards: false, name => hasToCome[name], name => hasToCome[name] = true);
        return hasToCome;
    }

    // What holds for a name is carried on to those that it requires, or backwards to those that require it.
    private static void Follow(ObjectShape shape, bool backwards, Func<int, bool> holds, Action<int> carry)
    {
        if (shape.DependentRequired.Count == 0)
            return;
        ILookup<int, int> next = backwards
            ? shape.DependentRequired.ToLookup(pair => pair.Then, pair => pair.If)
            : shape.DependentRequired.ToLookup(pair => pair.If, pair => pair.Then);
        var open = new Stack<int>(Enumerable.Range(0, shape.Properties.Count).Where(holds));
        while (open.TryPop(out int name))
            foreach (int other in next[name])
                if (!holds(other))
                {
                    carry(other);
                    open.Push(other);
                }
    }
}
