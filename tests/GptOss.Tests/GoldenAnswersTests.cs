using System.Text.Json;
using GptOss.Tests.Tokenization;

namespace GptOss.Tests;

/// <summary>
/// What the tiny model says, token by token: its training code and a float64 reference agree on all of these
/// (vectors/tiny-model). The smallest margin between first and second choice is 0.02, so an error that moves a logit by
/// more shows here.
/// </summary>
public sealed class GoldenAnswersTests : IAsyncLifetime
{
    private GptOssModel _model = null!;

    public async ValueTask InitializeAsync() => _model = await GptOssModel.LoadAsync(TinyGptOss.Folder);

    public ValueTask DisposeAsync() => _model.DisposeAsync();

    [Fact]
    [Trait("speed", "slow")]
    public async Task The_tiny_model_gives_all_29_golden_answers()
    {
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Repository.Vector("tiny-model", "golden.json")));
        int compared = 0;
        foreach (JsonElement entry in golden.RootElement.EnumerateArray())
        {
            List<int> prompt = SpecialSpellings.Encode(
                _model.Tokenizer.Inner,
                entry.GetProperty("prompt").GetString()!
            );
            Assert.Equal(Ids(entry.GetProperty("prompt_tokens")), prompt);

            var answer = new List<int>();
            await foreach (
                int token in _model.Generate(
                    prompt,
                    SamplingOptions.Greedy,
                    cancellationToken: TestContext.Current.CancellationToken
                )
            )
                answer.Add(token);
            Assert.Equal(Ids(entry.GetProperty("output_tokens")), answer);
            compared++;
        }
        Assert.Equal(29, compared);
    }

    private static int[] Ids(JsonElement list) => [.. list.EnumerateArray().Select(id => id.GetInt32())];
}
