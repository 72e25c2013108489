// The server over a script in the place of a model, for clients that are tried by hand:
// dotnet run --project tests/ScriptedServer -- [PORT]
using GptOss.AspNetCore;
using GptOss.ScriptedServer;
using Microsoft.Extensions.AI;

WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
builder.WebHost.UseUrls($"http://127.0.0.1:{(args.Length > 0 ? args[0] : "8000")}");
builder.Services.AddSingleton<IChatClient, ScriptedChatClient>();
builder.Services.AddGptOssServer(options =>
{
    options.Aliases.Add("*");
    options.AnswersEveryPath = true;
    options.MaxRunning = 64; // clients wait at the same time for what takes minutes
});
WebApplication app = builder.Build();
app.MapGptOss();
app.MapGptOssPage();
await app.RunAsync();
