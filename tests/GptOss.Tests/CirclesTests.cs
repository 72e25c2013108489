namespace GptOss.Tests;

/// <summary>
/// Files know each other in one direction: whoever reads a file need not read those that use it.
/// </summary>
public sealed class CirclesTests
{
    /// <summary>
    /// The circles that there still are, each of whose files is understood only with all others. The list may only
    /// shrink.
    /// </summary>
    private static readonly string[][] StillThere =
    [
        // Doors of the public API that open each other: the model makes a client, and a client owns a model.
        ["GptOss/GptOssChatClient", "GptOss/GptOssModel"],
        // A result reads itself out of a message, in the form in which Chat stores it.
        ["GptOss/Chat/StoredProbability", "GptOss/TokenProbability"],
    ];

    [Fact]
    public void Files_know_each_other_in_one_direction_but_for_the_circles_of_a_list_that_shrinks()
    {
        string[] found = [.. SourceGraph.Files.Circles().Select(circle => string.Join(", ", circle)).Order()];
        string[] listed = [.. StillThere.Select(circle => string.Join(", ", circle)).Order()];
        Assert.True(
            found.SequenceEqual(listed),
            $"Circles that the list does not hold:\n{string.Join('\n', found.Except(listed))}\n"
                + $"Circles of the list that are gone, or no longer the same:\n{string.Join('\n', listed.Except(found))}"
        );
    }

    [Fact]
    public void The_types_of_Generation_know_each_other_in_one_direction()
    {
        SourceGraph types = SourceGraph.Types;
        string[] generation = [.. SourceText.Types("src", "GptOss", "Generation").Select(type => type.Name)];
        Assert.DoesNotContain(types.Circles(), circle => circle.Intersect(generation).Any());
        Assert.Contains("Sequence", types.KnownBy("Scheduler"));
        foreach (string runs in (string[])["Engine", "IPass", "Continuation", "EnginePasses"])
            Assert.Empty(types.Reached(runs).Intersect(["Scheduler", "Sequence", "PassPlan", "RequestQueue"]));
    }

    [Theory]
    [InlineData("", "A.cs: class A { B b; }", "B.cs: class B { }")]
    [InlineData(
        "A, B, C",
        "A.cs: class A { B b; }",
        "B.cs: class B { C c; }",
        "C.cs: class C { void M() => new A(); }"
    )]
    [InlineData("B, C", "A.cs: class A { B b; }", "B.cs: class B { C c; }", "C.cs: class C { int i = B.Of(1); }")]
    [InlineData("A, B", "A.cs: class A { class Inner : B; }", "B.cs: class B { A a; }")] // a part of the outer type
    [InlineData("A, B", "A.cs: partial class A;", "A.Part.cs: partial class A { B b; }", "B.cs: class B { A a; }")]
    [InlineData("", "A.cs: class A { A next; }")] // a list of its own kind
    [InlineData("", "A.cs: class A { int B() => B(); }", "B.cs: class B { A a; }")] // a member of that name
    [InlineData("", "A.cs: class A { object b = new { B = 1 }.B; }", "B.cs: class B { A a; }")]
    [InlineData("", "A.cs: class A { string s = \"B\"; /* B */ }", "B.cs: class B { A a; } // told by B")]
    public void A_circle_is_noticed(string circle, params string[] source)
    {
        (SourceGraph files, SourceGraph types) = SourceGraph.Of(
            source.Select(file => file.Split(": ", 2)).Select(file => (file[0], file[1]))
        );
        Assert.Equal(circle, string.Join("; ", files.Circles().Select(names => string.Join(", ", names))));
        Assert.Equal(circle, string.Join("; ", types.Circles().Select(names => string.Join(", ", names))));
    }
}
