using System.Text.Json;
using GptOss.Tests.Fuzzing;

namespace GptOss.AspNetCore.Tests.Load;

/// <summary>Damaged bodies in all dialects: each is answered, or refused with a reason, and none is a defect.</summary>
[Trait("kind", "long")]
[Trait("kind", "fuzz")]
[Promise(4)]
[Promise(26)]
public sealed class MutationTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_damaged_body_is_answered_or_refused_and_never_a_defect()
    {
        // A short context ends answers whose limit was damaged.
        await using GptOssChatClient client = await GptOssChatClient.LoadAsync(
            TinyGptOss.Folder,
            new ModelOptions { ContextLength = 512 },
            cancellationToken: Stop
        );
        await using TestHost host = await TestHost.OverAsync(client);
        using var input = new BodyInput(host, Stop);
        await Task.Run(() => FuzzRun.Check(input), Stop);
        JsonElement good = await host.AskAsync("What is 345 + 678?", ",\"temperature\":0");
        Assert.Contains("1023", good.GetRawText(), StringComparison.Ordinal);
    }
}
