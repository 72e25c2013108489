using GptOss.Tests.Oracles;

namespace GptOss.Tests;

/// <summary><see cref="GptOssModel.Generate"/>: its limits, its stop tokens and the reason of its end.</summary>
public sealed class TokenGenerationTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private GptOssModel _model = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        TinyCheckpoint.Write(_folder.Path, new TinyShape(), seed: 7);
        _model = await GptOssModel.LoadAsync(_folder.Path, new ModelOptions { ContextLength = 40 }, null, Stop);
    }

    public async ValueTask DisposeAsync()
    {
        await _model.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_limit_ends_it_after_as_many_tokens()
    {
        TokenGeneration tokens = Generate(maxTokens: 3, stopTokens: []);
        Assert.Equal(EndReason.None, tokens.End);
        Assert.Equal(3, await tokens.CountAsync(Stop));
        Assert.Equal(EndReason.MaxTokens, tokens.End);
    }

    [Fact]
    public async Task A_stop_token_of_the_caller_ends_it_and_those_of_the_model_do_not()
    {
        int[] free = await Generate(maxTokens: 20, stopTokens: []).ToArrayAsync(Stop);
        int at = Enumerable.Range(1, 19).First(i => Array.IndexOf(free, free[i]) == i); // new at its place

        TokenGeneration tokens = Generate(maxTokens: 20, stopTokens: [free[at]]);
        Assert.Equal(free[..(at + 1)], await tokens.ToArrayAsync(Stop));
        Assert.Equal(EndReason.Stop, tokens.End);
    }

    [Fact]
    public async Task A_full_context_ends_it()
    {
        TokenGeneration tokens = Generate(maxTokens: null, stopTokens: []);
        Assert.Equal(37, await tokens.CountAsync(Stop)); // beside the prompt of three
        Assert.Equal(EndReason.ContextFull, tokens.End);
    }

    [Fact]
    public async Task An_enumeration_that_was_left_has_no_reason_and_the_next_begins_anew()
    {
        TokenGeneration tokens = Generate(maxTokens: 5, stopTokens: []);
        int first = await tokens.FirstAsync(Stop);
        Assert.Equal(EndReason.None, tokens.End);

        int[] all = await tokens.ToArrayAsync(Stop);
        Assert.Equal((5, first), (all.Length, all[0]));
        Assert.Equal(EndReason.MaxTokens, tokens.End);
    }

    [Fact]
    public async Task Either_token_of_cancellation_ends_it()
    {
        using var outer = new CancellationTokenSource();
        TokenGeneration tokens = _model.Generate([1, 2, 3], cancellationToken: outer.Token);
        using var inner = new CancellationTokenSource();
        await inner.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await tokens.CountAsync(inner.Token));
        await outer.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await tokens.CountAsync(Stop));
    }

    [Fact]
    public async Task Without_stop_tokens_of_the_caller_the_models_own_end_it()
    {
        int[] free = await Generate(maxTokens: 20, stopTokens: []).ToArrayAsync(Stop);
        int at = Enumerable.Range(1, 19).First(i => Array.IndexOf(free, free[i]) == i);
        await _model.DisposeAsync();
        File.WriteAllText(Path.Combine(_folder.Path, "generation_config.json"), $$"""{"eos_token_id": {{free[at]}}}""");
        _model = await GptOssModel.LoadAsync(_folder.Path, cancellationToken: Stop);

        TokenGeneration tokens = _model.Generate([1, 2, 3], SamplingOptions.Greedy, 20, null, Stop);
        Assert.Equal(free[..(at + 1)], await tokens.ToArrayAsync(Stop));
        Assert.Equal(EndReason.Stop, tokens.End);
    }

    [Fact]
    public void What_can_be_refused_at_once_is_refused_by_its_name()
    {
        Assert.Equal(
            "prompt",
            Assert.Throws<ArgumentNullException>(() => _model.Generate(null!, cancellationToken: Stop)).ParamName
        );
        Assert.Equal(
            "stopTokens",
            Assert.Throws<ArgumentOutOfRangeException>(() => Generate(5, [_model.VocabularySize])).ParamName
        );
        var nothing = new SamplingOptions
        {
            LogitBias = Enumerable.Range(0, _model.VocabularySize).ToDictionary(id => id, _ => float.NegativeInfinity),
        };
        var refusal = Assert.Throws<ArgumentException>(() => _model.Generate([1], nothing, cancellationToken: Stop));
        Assert.Equal("sampling", refusal.ParamName);
        Assert.Contains("LogitBias", refusal.Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void A_limit_below_one_is_refused_by_its_name(int maxTokens) =>
        Assert.Equal(
            "maxTokens",
            Assert.Throws<ArgumentOutOfRangeException>(() => Generate(maxTokens, stopTokens: [])).ParamName
        );

    private TokenGeneration Generate(int? maxTokens, int[] stopTokens) =>
        _model.Generate([1, 2, 3], SamplingOptions.Greedy, maxTokens, stopTokens, Stop);
}
