using Microsoft.Extensions.Logging;

namespace GptOss.Tests.Chat;

public sealed class BudgetNoticeTests
{
    [Theory]
    [InlineData(null, "by the memory that was free")]
    [InlineData(20_000_000L, "by ModelOptions.KvCacheBytes")]
    public async Task The_first_client_that_logs_tells_the_memory_of_keys_and_values_and_no_other(
        long? asked,
        string origin
    )
    {
        using GptOssModel model = await GptOssModel.LoadAsync(
            TinyGptOss.Folder,
            new ModelOptions { KvCacheBytes = asked },
            cancellationToken: TestContext.Current.CancellationToken
        );
        using var mute = new Journal(LogLevel.Warning);
        using var first = new Journal(LogLevel.Information);
        using var second = new Journal(LogLevel.Information);
        foreach (Journal journal in (Journal[])[mute, first, second])
            model.AsChatClient(journal).Dispose();

        long bytes = model.Engine.Cache.Pool.BudgetBytes;
        long tokens = bytes / model.Engine.Cache.PageBytes * 64;
        string line = Assert.Single(first.Lines, line => line.Contains("Keys and values", StringComparison.Ordinal));
        Assert.StartsWith($"Keys and values of all requests may take {bytes} bytes, {origin}: ", line);
        Assert.EndsWith($" pages, {tokens} tokens.", line);
        Assert.True(asked is null || asked == bytes);
        Assert.DoesNotContain(mute.Lines, line => line.Contains("Keys", StringComparison.Ordinal));
        Assert.DoesNotContain(second.Lines, line => line.Contains("Keys", StringComparison.Ordinal));
    }
}
