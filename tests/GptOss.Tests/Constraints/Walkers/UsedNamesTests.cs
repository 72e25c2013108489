using System.Text;
using System.Text.Json;
using GptOss.Constraints;
using GptOss.Constraints.Schemas;

namespace GptOss.Tests.Constraints.Walkers;

/// <summary>Names and items of bounded length that have to differ run out at their last letter.</summary>
public sealed class UsedNamesTests
{
    private const string Names =
        """{"type":"object","properties":{"bcd":{}},"additionalProperties":{},"propertyNames":{"maxLength":3}}""";
    private const string Items =
        """{"type":"array","uniqueItems":true,"items":{"type":"string","pattern":"^.{0,2}[ab]$"}}""";

    [Theory]
    [InlineData(Names, """{"xyz":1,"xy""", 'z', false)] // used, and nothing longer may follow
    [InlineData(Names, """{"xyz":1,"xy""", 'y', true)]
    [InlineData(Names, """{"xy":1,"x""", 'y', true)] // used, but longer ones are left
    [InlineData(Names, """{"xy":1,"xy""", '"', false)]
    [InlineData(Names, """{"bc""", 'd', true)] // the declared name
    [InlineData(Names, """{"bcd":1,"bc""", 'd', false)]
    [InlineData(Items, """["xya","xy""", 'a', false)]
    [InlineData(Items, """["xya","xy""", 'b', true)]
    public void A_letter_may_come_where_some_text_that_goes_on_is_not_used(
        string schema,
        string text,
        char next,
        bool isAllowed
    )
    {
        Rule root = SchemaCompiler
            .Compile(JsonElement.Parse(schema), new(), PropertyOrder.Any, mustBeObject: false, new())
            .Root;
        var grammar = new Grammar(root, isCompact: true);
        lock (grammar.Gate)
        {
            Assert.True(
                new ConstraintState(grammar).TryAdvance(Encoding.UTF8.GetBytes(text), out ConstraintState state)
            );
            Assert.Equal(isAllowed, state.TryAdvance((int)next, out _));
        }
    }
}
