using GptOss.AspNetCore.Tests;

[assembly: AssemblyFixture(typeof(TinyServer))]

namespace GptOss.AspNetCore.Tests;

/// <summary>One server over the tiny model, for all tests that ask a real one.</summary>
public sealed class TinyServer : IAsyncLifetime
{
    internal TestHost Host { get; private set; } = null!;

    /// <summary>The client that answers, for servers of other kinds.</summary>
    internal GptOssChatClient Client { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Client = await GptOssChatClient.LoadAsync(TinyGptOss.Folder);
        Host = await TestHost.OverAsync(Client, options => options.AnswersEveryPath = true);
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await Client.DisposeAsync();
    }
}
