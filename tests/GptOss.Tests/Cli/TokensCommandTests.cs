namespace GptOss.Tests.Cli;

[Trait("speed", "slow")] // every case is a process
public sealed class TokensCommandTests
{
    [Theory]
    [InlineData("Hello!")]
    [InlineData(" two  spaces, a line feed at the end\n")]
    [InlineData("\t𝒜 é 😀 <|start|>")]
    public void Text_comes_back_byte_by_byte(string text)
    {
        ToolRun encoded = Tool.Run(["debug", "tokens"], input: text);
        Assert.Matches(@"^\[\d+(,\d+)*\]\n$", encoded.Output);
        Assert.Equal(text, Tool.Run(["debug", "tokens", "--decode"], input: encoded.Output).Output);
    }

    [Fact]
    public void Names_of_special_tokens_are_text_unless_asked_otherwise()
    {
        Assert.NotEqual("[949]\n", Tool.Run("debug", "tokens", "<|start|>").Output);
        Assert.Equal("[949,289,951]\n", Tool.Run("debug", "tokens", "--special", "<|start|>user<|message|>").Output);
        Assert.Equal("<|start|>user<|message|>", Tool.Run("debug", "tokens", "--decode", "949 289,951").Output);
    }

    [Fact]
    public void No_text_has_no_tokens()
    {
        Assert.Equal("[]\n", Tool.Run("debug", "tokens", "").Output);
        Assert.Empty(Tool.Run("debug", "tokens", "--decode", "[]").Bytes);
    }
}
