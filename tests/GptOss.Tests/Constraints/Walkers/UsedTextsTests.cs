using System.Text;
using GptOss.Constraints.Walkers;

namespace GptOss.Tests.Constraints.Walkers;

public sealed class UsedTextsTests
{
    [Fact]
    public void Equal_sets_are_one_instance_whatever_the_order()
    {
        var table = new UsedTexts.TextTable(new Ledger());
        UsedTexts one = Of(table, "ab", "a", "", "b", "abc"),
            other = Of(table, "abc", "b", "ab", "", "a", "ab");
        Assert.Same(one, other);
        Assert.Equal(5, one.Count);
        Assert.NotSame(one, Of(table, "ab", "a", "b", "abc"));
    }

    [Fact]
    public void A_set_knows_its_texts_and_no_others()
    {
        UsedTexts set = Of(new UsedTexts.TextTable(new Ledger()), "ab", "b");
        Assert.True(Walk(set, "ab").IsText);
        Assert.True(Walk(set, "b").IsText);
        Assert.False(Walk(set, "a").IsText);
        Assert.Equal(1, Walk(set, "a").Count);
        Assert.Same(UsedTexts.Off, Walk(set, "abc"));
        Assert.Same(UsedTexts.Off, Walk(set, "c"));
        Assert.Same(UsedTexts.Off, Walk(set, "cab"));
    }

    /// <summary>A set that is in use stays what it was when the table has forgotten it.</summary>
    [Fact]
    public void A_set_outlives_its_table()
    {
        var table = new UsedTexts.TextTable(new Ledger());
        UsedTexts set = Of(table, "a");
        table.Forget();
        Assert.True(Walk(set.With("b"u8), "a").IsText);
        Assert.True(Walk(set.With("b"u8), "b").IsText);
        Assert.False(Walk(set, "b").IsText);
    }

    private static UsedTexts Of(UsedTexts.TextTable table, params string[] texts) =>
        texts.Aggregate(table.Empty, (set, text) => set.With(Encoding.UTF8.GetBytes(text)));

    private static UsedTexts Walk(UsedTexts set, string text) => text.Aggregate(set, (at, letter) => at.Next(letter));
}
