// The model calls a C# method and answers from its result: dotnet run --project samples/ToolCalling [-- MODEL-FOLDER]
using System.ComponentModel;
using GptOss;
using Microsoft.Extensions.AI;

GptOssChatClient model = await GptOssChatClient.LoadAsync(args.Length > 0 ? args[0] : TinyGptOss.Folder);
using IChatClient client = model.AsBuilder().UseFunctionInvocation().Build();

ChatOptions options = new()
{
    Temperature = 0,
    Tools = [AIFunctionFactory.Create(GetCurrentWeather, "get_current_weather")],
};
ChatResponse response = await client.GetResponseAsync("What is the weather in Lisbon?", options);

// The reasoning, the call, its result, and the answer: all of it is there to be looked at, and goes into the history.
foreach (AIContent content in response.Messages.SelectMany(message => message.Contents))
{
    Console.WriteLine(
        content switch
        {
            TextReasoningContent reasoning => $"Reasoning: {reasoning.Text}",
            FunctionCallContent call =>
                $"Call: {call.Name}({string.Join(", ", call.Arguments!.Select(a => $"{a.Key}: {a.Value}"))})",
            FunctionResultContent result => $"Result: {result.Result}",
            TextContent answer => $"Answer: {answer.Text}",
            _ => content.GetType().Name,
        }
    );
}

[Description("Gets the current weather.")]
static Weather GetCurrentWeather(string city) => city == "Lisbon" ? new("sunny", 24) : new("rainy", 11);

internal sealed record Weather(string Condition, int Temperature);
