// One address for several servers, which sends a conversation to the one that has read it already:
// dotnet run --project samples/Cluster [-- --nodes http://10.0.0.1:8000,http://10.0.0.2:8000]
// The first of them is 'gptoss serve --node 0 …', the second 'gptoss serve --node 1 …'. Without any, two nodes with
// the tiny model start in this process.
using GptOss;
using GptOss.AspNetCore;
using GptOss.Samples.Cluster;
using Microsoft.Extensions.AI;

WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(args);
string[] nodes = builder.Configuration["nodes"]?.Split(',') ?? [await StartNodeAsync(0), await StartNodeAsync(1)];
builder.AddBalancer(nodes);
WebApplication app = builder.Build();
app.MapBalancer();
await app.RunAsync();

static async Task<string> StartNodeAsync(int number)
{
    WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
    builder.WebHost.UseUrls("http://127.0.0.1:0");
    builder.Logging.ClearProviders();
    builder.Services.AddSingleton<IChatClient>(await GptOssChatClient.LoadAsync(TinyGptOss.Folder));
    builder.Services.AddGptOssServer(options => options.Node = number);
    WebApplication node = builder.Build();
    node.MapGptOss();
    await node.StartAsync();
    return node.Urls.Single();
}
