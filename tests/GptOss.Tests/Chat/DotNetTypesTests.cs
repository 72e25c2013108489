using Microsoft.Extensions.AI;
using static GptOss.Tests.Chat.DotNetTypes;

namespace GptOss.Tests.Chat;

/// <summary>
/// Answers as values of .NET types, from random weights: whatever is drawn can be read, where the type says what its
/// schema cannot know (an <c>int</c> has a range, bytes are base64).
/// </summary>
[Trait("kind", "long"), Trait("speed", "slow")]
public sealed class DotNetTypesTests
{
    private static int Draws => Long.IsLong ? 20 : 1;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whatever_random_weights_answer_is_a_value_of_the_type()
    {
        using var chat = new RandomChat(seed: 7, threads: 2);
        int read = 0,
            cut = 0;
        var faults = new List<string>();
        for (int draw = 1; draw <= Draws; draw++)
            foreach ((string type, Ask ask) in All)
            {
                ChatResponse? response = null;
                try
                {
                    (response, object? value) = await ask(chat.Client, "Go.", chat.Options(draw * 64 + read), Stop);
                    (read, cut) = value is null ? (read, cut + 1) : (read + 1, cut);
                }
                catch (Exception error) when (error is not OperationCanceledException)
                {
                    faults.Add($"{type}: {error.Message}");
                }
            }
        Figure.Tell($"{read} read, {cut} cut");
        Assert.True(faults.Count == 0, string.Join('\n', faults));
        Assert.Equal(60, All.Count);
        Assert.True(cut <= read / 4, $"{read} read, {cut} cut");
    }

    [Fact]
    public async Task The_tiny_model_answers_with_values_too()
    {
        await using GptOssChatClient client = await GptOssChatClient.LoadAsync(
            TinyGptOss.Folder,
            cancellationToken: Stop
        );
        var options = new ChatOptions
        {
            Temperature = 0,
            MaxOutputTokens = 1_000,
            RawRepresentationFactory = _ => new GptOssRequestOptions { CurrentDate = new DateOnly(2026, 11, 24) },
        };
        int read = 0;
        foreach ((_, Ask ask) in All.Take(Draws > 1 ? All.Count : 6))
            read += (await ask(client, "What is 345 + 678?", options, Stop)).Value is null ? 0 : 1;
        Assert.True(read > 0);
    }
}
