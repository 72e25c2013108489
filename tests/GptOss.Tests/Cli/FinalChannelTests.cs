using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using GptOss.Cli.Run;

namespace GptOss.Tests.Cli;

public sealed class FinalChannelTests
{
    [Theory]
    [InlineData("<|channel|>analysis<|message|>Think.<|end|><|start|>assistant<|channel|>final<|message|>Hello!", "Hello!")]
    [InlineData("<|channel|>final<|message|>Hello!", "Hello!")]
    [InlineData("<|channel|>analysis<|message|>Only a thought.", "")]
    [InlineData("<|channel|>commentary to=functions.f <|constrain|>json<|message|>{}", "")]
    [InlineData("<|channel|>final <|constrain|>json<|message|>{}", "{}")]                         // a type after the name
    [InlineData("<|channel|>analysis<|channel|>final<|message|>Hello!", "Hello!")]                // the last one counts
    [InlineData("<|message|>No channel at all.", "No channel at all.")]
    [InlineData("final words without a header", "")]
    [InlineData("<|channel|>final<|message|>One.<|end|><|start|>assistant<|channel|>final<|message|>Two.", "One.Two.")]
    public async Task Only_the_text_of_the_final_channel_is_kept(string answer, string expected)
    {
        GptOssTokenizer tokenizer = GptOssTokenizer.O200kHarmony;
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        List<int> kept = [];
        await foreach (int token in FinalChannel.Of(Tokens(tokenizer, answer, cancellation), tokenizer, cancellation))
            kept.Add(token);
        Assert.Equal(expected, tokenizer.Decode(kept));
    }

    [Fact]
    public async Task The_conversation_is_that_of_the_training_code()
    {
        using var golden = JsonDocument.Parse(File.ReadAllText(Repository.Vector("tiny-model", "golden.json")));
        JsonElement hello = golden.RootElement.EnumerateArray().Single(item => item.GetProperty("name").GetString() == "hello");
        await using GptOssModel model = await GptOssModel.LoadAsync(TinyGptOss.Folder, cancellationToken: TestContext.Current.CancellationToken);

        IReadOnlyList<int> prompt = Conversation.Ask(model.Tokenizer, "Hello!", new DateOnly(2025, 11, 24));

        Assert.Equal(hello.GetProperty("prompt_tokens").EnumerateArray().Select(id => id.GetInt32()), prompt);
    }

    private static async IAsyncEnumerable<int> Tokens(
        GptOssTokenizer tokenizer, string text, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (string piece in Regex.Split(text, @"(<\|[a-z]+\|>)").Where(piece => piece.Length > 0))
        {
            await Task.Yield();
            cancellationToken.ThrowIfCancellationRequested();
            foreach (int id in tokenizer.SpecialTokens.TryGetValue(piece, out int special) ? [special] : tokenizer.Encode(piece))
                yield return id;
        }
    }
}
