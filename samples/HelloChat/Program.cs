// Asks a model one question and shows its reasoning apart: dotnet run --project samples/HelloChat [-- MODEL-FOLDER]
using GptOss;
using Microsoft.Extensions.AI;

using IChatClient client = await GptOssChatClient.LoadAsync(args.Length > 0 ? args[0] : TinyGptOss.Folder);
ChatOptions options = new() { Temperature = 0 };    // always the likeliest token
string heading = "";

await foreach (ChatResponseUpdate update in client.GetStreamingResponseAsync("What is 345 + 678?", options))
{
    foreach (AIContent content in update.Contents)
    {
        (string name, string text) = content switch
        {
            TextReasoningContent reasoning => ("Reasoning", reasoning.Text),
            TextContent answer => ("Answer", answer.Text),
            _ => (heading, ""),
        };
        if (name != heading)
            Console.Write($"{(heading == "" ? "" : "\n")}{name}: ");
        heading = name;
        Console.Write(text);
    }
}
Console.WriteLine();
