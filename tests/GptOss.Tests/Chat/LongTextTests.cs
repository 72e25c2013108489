using Microsoft.Extensions.AI;
using static GptOss.Tests.Chat.ChatScript;

namespace GptOss.Tests.Chat;

/// <summary>Alone: what else runs in the process allocates too.</summary>
[CollectionDefinition(nameof(LongTextTests), DisableParallelization = true)]
public sealed class LongTextTestsAlone;

/// <summary>Texts that no context holds cost next to nothing.</summary>
[Collection(nameof(LongTextTests))]
public sealed class LongTextTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>The context is 4,096 tokens, and no token has more than 128 bytes.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_cannot_fit_is_refused_before_it_is_encoded(bool raw)
    {
        string text = new('x', 30_000_000);
        ChatOptions options = Options(new() { RawHarmonyText = raw ? text : null });
        long before = GC.GetTotalAllocatedBytes();
        var source = new TokenScript(Greeting);
        var error = await Assert.ThrowsAsync<ContextLengthException>(() =>
            source.Client().GetResponseAsync(raw ? "Hi" : text, options, Stop)
        );
        Assert.Empty(source.Requests);

        Assert.InRange(error.PromptTokens, 30_000_000 / 128, 300_000);
        Assert.Contains("at least", error.Message);
        // Encoding takes 32 bytes a character and more
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 300_000_000);
    }
}
