using GptOss.AspNetCore.Tests;

[assembly: AssemblyFixture(typeof(TinyServer))]

namespace GptOss.AspNetCore.Tests;

/// <summary>One server over the tiny model, for all tests that ask a real one.</summary>
public sealed class TinyServer : IAsyncLifetime
{
    private GptOssChatClient? _client;

    internal TestHost Host { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _client = await GptOssChatClient.LoadAsync(TinyGptOss.Folder);
        Host = await TestHost.OverAsync(_client, options => options.AnswersEveryPath = true);
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await _client!.DisposeAsync();
    }
}
