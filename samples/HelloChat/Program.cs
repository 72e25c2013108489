// Asks a model one question and shows its reasoning apart: dotnet run --project samples/HelloChat [-- MODEL-FOLDER]
using GptOss;
using Microsoft.Extensions.AI;

try
{
    using IChatClient client = await GptOssChatClient.LoadAsync(args.Length > 0 ? args[0] : TinyGptOss.Folder);
    ChatOptions options = new() { Temperature = 0 }; // always the likeliest token
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
    return 0;
}
catch (GptOssException error) // a wrong folder, for one; its message says what to do
{
    Console.Error.WriteLine(error.Message);
    return 1;
}
