// A model inside an ASP.NET Core application, for its own paths and for clients of OpenAI and Anthropic:
// dotnet run --project samples/Server [-- --model MODEL-FOLDER --urls http://127.0.0.1:5000]
using System.Threading.RateLimiting;
using GptOss;
using GptOss.AspNetCore;
using Microsoft.Extensions.AI;

WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(args);

await using GptOssModel model = await GptOssModel.LoadAsync(builder.Configuration["model"] ?? TinyGptOss.Folder);
builder
    .Services.AddChatClient(services => model.AsChatClient(services.GetRequiredService<ILoggerFactory>()))
    .UseLogging(); // the server asks through the same pipeline as the application
builder.Services.AddGptOssServer(options => options.Aliases.Add("assistant"));
builder.Services.AddHealthChecks().AddCheck<GptOssHealthCheck>("model");
builder.Services.AddRateLimiter(limits =>
    limits.AddPolicy("a caller", http =>
        RateLimitPartition.GetTokenBucketLimiter(http.Connection.RemoteIpAddress, _ => new()
            {
                TokenLimit = 60,
                TokensPerPeriod = 60,
                ReplenishmentPeriod = TimeSpan.FromMinutes(1),
            })
    )
);

WebApplication app = builder.Build();
app.UseRateLimiter();
app.MapHealthChecks("/healthz");
app.MapGptOss("/ai").RequireRateLimiting("a caller"); // the base URL for clients is http://127.0.0.1:5000/ai/v1
app.MapGet("/ask", Ask).RequireRateLimiting("a caller");
await app.RunAsync();

// curl 'http://127.0.0.1:5000/ask?question=What+is+345+%2B+678%3F'
static async Task<string> Ask(string question, IChatClient client, CancellationToken stop) =>
    (await client.GetResponseAsync(question, new ChatOptions { Temperature = 0 }, stop)).Text;
