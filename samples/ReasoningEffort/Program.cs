// The same question with little and with much thought: dotnet run --project samples/ReasoningEffort [-- MODEL-FOLDER]
using GptOss;
using Microsoft.Extensions.AI;

using IChatClient client = await GptOssChatClient.LoadAsync(args.Length > 0 ? args[0] : TinyGptOss.Folder);

foreach (ReasoningEffort effort in (ReasoningEffort[])[ReasoningEffort.Low, ReasoningEffort.High])
{
    ChatOptions options = new()
    {
        Temperature = 0,
        Reasoning = new ReasoningOptions { Effort = effort },
    };
    ChatResponse response = await client.GetResponseAsync("What is 25 + 13?", options);

    Console.WriteLine($"{effort}: {response.Text}");
    Console.WriteLine(
        $"  {response.Usage!.OutputTokenCount} tokens, {response.Usage.ReasoningTokenCount} of them reasoning"
    );
}
