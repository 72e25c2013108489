// Sixteen people chat with one model, and its meter is shown: dotnet run --project samples/ManyUsers [-- MODEL-FOLDER]
using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using GptOss;
using Microsoft.Extensions.AI;

var meter = new ConcurrentDictionary<string, double>(); // the last value of each figure, a tag behind its name
using var listener = new MeterListener { InstrumentPublished = (it, self) => self.EnableMeasurementEvents(it) };
listener.SetMeasurementEventCallback<int>((it, n, _, _) => meter[it.Name] = n);
listener.SetMeasurementEventCallback<double>((it, x, _, _) => meter[it.Name] = x);
listener.SetMeasurementEventCallback<long>((it, n, tag, _) => meter[it.Name + (tag is [var t] ? t : "")] = n);
listener.Start();
using GptOssChatClient client = await GptOssChatClient.LoadAsync(args.Length > 0 ? args[0] : TinyGptOss.Folder);
var said = new string[16];
Task all = Task.WhenAll(said.Select((_, person) => Task.Run(() => ChatAsync(person))));
while (!Console.IsOutputRedirected && await Task.WhenAny(all, Task.Delay(200)) != all)
    Draw(end: $"\u001b[{said.Length + 3}A"); // the next table is written over this one
await all;
Draw(end: "");
async Task ChatAsync(int person)
{
    List<ChatMessage> history = [];
    for (int i = 1; i <= 3; i++)
    {
        history.Add(new(ChatRole.User, $"What is {100 + person} + {200 * i}?"));
        history.AddMessages(await client.GetResponseAsync(history, new() { Temperature = 0 }));
        said[person] = history[^1].Text;
    }
}
void Draw(string end)
{
    listener.RecordObservableInstruments();
    double Now(string name) => meter.GetValueOrDefault($"gptoss.{name}");
    string table = $"""
        running {Now("requests.running"), 6}   waiting {Now("queue.length"), 6}   paused {Now("requests.paused"), 6}
        pages   {Now("kv.pages[gptoss.state, used]"), 6}   cached  {Now("kv.pages[gptoss.state, cached]"), 6}
        last    {Now("time_to_first_token"), 6:F2} s to its first token, {Now("prompt.hit_ratio"):P0} of it found again
        """;
    Console.Write(string.Concat(said.Select((text, person) => $"{person, 2}  {text, -40}\n")) + table + "\n" + end);
}
