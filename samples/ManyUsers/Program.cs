// Sixteen people chat with one model at the same time: dotnet run --project samples/ManyUsers [-- MODEL-FOLDER]
using System.Diagnostics;
using GptOss;
using Microsoft.Extensions.AI;

const int People = 16;
using GptOssChatClient client = await GptOssChatClient.LoadAsync(args.Length > 0 ? args[0] : TinyGptOss.Folder);
var said = new string[People];
long tokens = 0,
    cached = 0,
    began = Stopwatch.GetTimestamp();
Task all = Task.WhenAll(Enumerable.Range(0, People).Select(person => Task.Run(() => ChatAsync(person))));
while (!Console.IsOutputRedirected && await Task.WhenAny(all, Task.Delay(200)) != all)
    Draw();
await all;
Draw();
double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
Console.WriteLine($"{tokens / seconds:F0} tokens a second, {cached} tokens of prompts found again");
async Task ChatAsync(int person)
{
    List<ChatMessage> history = [];
    for (int i = 1; i <= 3; i++)
    {
        history.Add(new(ChatRole.User, $"What is {100 + person} + {200 * i}?"));
        ChatResponse answer = await client.GetResponseAsync(history, new() { Temperature = 0 });
        history.AddMessages(answer);
        said[person] = answer.Text;
        Interlocked.Add(ref tokens, answer.Usage!.OutputTokenCount ?? 0);
        Interlocked.Add(ref cached, answer.Usage.CachedInputTokenCount ?? 0);
    }
}
void Draw()
{
    for (int person = 0; person < People; person++)
        Console.WriteLine($"{person, 2}  {said[person], -40}");
    if (!Console.IsOutputRedirected && !all.IsCompleted)
        Console.Write($"\u001b[{People}A"); // the next table is written over this one
}
