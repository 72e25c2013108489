namespace GptOss.Tests.Constraints;

public sealed class SchemaJudgeTests
{
    [Theory]
    [InlineData("a\u034A", true)] // one letter to a reader
    [InlineData("\u034A\u034A\u034A", true)]
    [InlineData("😀😀", true)]
    [InlineData("😀", false)]
    [InlineData("ab\n", true)]
    [InlineData("abc\n", false)]
    [InlineData("a\u034A\u034A\u034A", false)]
    public void Lengths_are_counted_in_code_points(string text, bool fits)
    {
        var judge = new SchemaJudge("""{"minLength":2,"maxLength":3,"allOf":[{"type":"string"}]}""");
        Assert.Equal(fits, judge.Fault(System.Text.Json.JsonSerializer.Serialize(text)) is null);
    }
}
