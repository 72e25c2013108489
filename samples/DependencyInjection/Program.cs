// A chat client from the service container, logged and traced: dotnet run --project samples/DependencyInjection [--
// MODEL-FOLDER]
using GptOss;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

const string Telemetry = "GptOss"; // the name of the library's own source and meter, shared with the middleware here

HostApplicationBuilder builder = Host.CreateApplicationBuilder();
builder.Logging.SetMinimumLevel(LogLevel.Debug);
builder
    .Services.AddOpenTelemetry()
    .WithTracing(tracing => tracing.AddSource(Telemetry).AddConsoleExporter())
    .WithMetrics(metrics => metrics.AddMeter(Telemetry).AddConsoleExporter());

await using GptOssModel model = await GptOssModel.LoadAsync(args.Length > 0 ? args[0] : TinyGptOss.Folder);
builder
    .Services.AddChatClient(services => model.AsChatClient(services.GetRequiredService<ILoggerFactory>()))
    .UseFunctionInvocation()
    .UseOpenTelemetry(sourceName: Telemetry)
    .UseLogging();
builder.Services.AddTransient<Greeter>();

using IHost host = builder.Build();
await host.StartAsync();
Console.WriteLine(await host.Services.GetRequiredService<Greeter>().GreetAsync());
await host.StopAsync();

internal sealed class Greeter(IChatClient client)
{
    public async Task<string> GreetAsync() =>
        (await client.GetResponseAsync("Hello!", new ChatOptions { Temperature = 0 })).Text;
}
