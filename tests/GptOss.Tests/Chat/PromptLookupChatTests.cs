using System.Diagnostics.Metrics;
using System.Text.Json;
using GptOss.Generation;
using Microsoft.Extensions.AI;

namespace GptOss.Tests.Chat;

/// <summary>Guessed tokens change nothing of what a chat client gives, whatever else the request asks for.</summary>
public sealed class PromptLookupChatTests : IAsyncLifetime
{
    private const string Sum = "What is 345 + 678?",
        Weather = "What is the weather in Lisbon?";

    private static readonly AITool Tool = AIFunctionFactory.Create(
        (string city) => $"It is sunny in {city}.",
        "get_current_weather",
        "Tells the weather of a city."
    );

    private GptOssChatClient _client = null!;

    public async ValueTask InitializeAsync() => _client = await GptOssChatClient.LoadAsync(TinyGptOss.Folder);

    public ValueTask DisposeAsync() => _client.DisposeAsync();

    [Fact]
    [Trait("speed", "slow")]
    public async Task Calls_reasoning_budgets_and_stop_sequences_give_the_same_greedy_and_sampled()
    {
        Instruments instruments = _client.GetService<GptOssModel>()!.Engine.Instruments;
        int right = 0;
        using var listener = new MeterListener();
        listener.SetMeasurementEventCallback<long>((_, count, _, _) => Interlocked.Add(ref right, (int)count));
        listener.EnableMeasurementEvents(instruments.Accepted);
        listener.Start();
        foreach (float temperature in (float[])[0, 1])
        foreach (int? budget in (int?[])[null, 0, 12])
        {
            await Compare(Sum, temperature, budget, new ChatOptions { Reasoning = new() { Effort = High } });
            await Compare(Sum, temperature, budget, new ChatOptions { StopSequences = ["10"] });
            await Compare(Weather, temperature, budget, new ChatOptions { Tools = [Tool] });
        }
        Figure.Tell($"{right} guesses were right");
        Assert.True(right > 0, "no guess was right");
    }

    private const ReasoningEffort High = ReasoningEffort.High;

    private async Task Compare(string question, float temperature, int? budget, ChatOptions options)
    {
        options.Temperature = temperature;
        options.Seed = 3;
        Assert.Equal(await Answer(lookup: false), await Answer(lookup: true));

        async Task<string> Answer(bool lookup)
        {
            options.RawRepresentationFactory = _ => new GptOssRequestOptions
            {
                CurrentDate = new DateOnly(2026, 11, 24),
                ReasoningBudget = budget,
                PromptLookup = lookup,
                IncludeRawHarmony = true,
            };
            ChatResponse response = await _client
                .AsBuilder()
                .UseFunctionInvocation()
                .Build()
                .GetResponseAsync(question, options, TestContext.Current.CancellationToken);
            IEnumerable<object?> contents = response
                .Messages.SelectMany(message => message.Contents)
                .Select(content =>
                    content switch
                    {
                        TextReasoningContent reasoning => $"reasoning {reasoning.Text}",
                        FunctionCallContent call => $"{call.Name} {JsonSerializer.Serialize(call.Arguments)}",
                        FunctionResultContent result => $"result {result.Result}",
                        _ => content.ToString(),
                    }
                );
            object?[] harmony = [.. response.Messages.Select(m => m.AdditionalProperties?["harmony.answer"])];
            UsageDetails usage = response.Usage!;
            return string.Join(
                '\n',
                [
                    .. contents,
                    .. harmony,
                    response.FinishReason,
                    usage.InputTokenCount,
                    usage.OutputTokenCount,
                    usage.ReasoningTokenCount,
                ]
            );
        }
    }
}
