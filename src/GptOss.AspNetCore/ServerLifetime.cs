using GptOss.AspNetCore.Http;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace GptOss.AspNetCore;

/// <summary>
/// Loads the model once the host listens, and lets the running requests come to their end before it listens no more.
/// </summary>
/// <param name="server">What all requests share.</param>
/// <param name="services">Holds the client, where the host does not load one.</param>
/// <param name="lifetime">Ends the host where the model cannot be loaded.</param>
internal sealed class ServerLifetime(ServerCore server, IServiceProvider services, IHostApplicationLifetime lifetime)
    : IHostedLifecycleService,
        IProgress<LoadProgress>,
        IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private Task _loading = Task.CompletedTask;
    private IChatClient? _loaded;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (server.Options.Load is null)
            Serve(services.GetRequiredService<IChatClient>());
        return Task.CompletedTask;
    }

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        if (server.Options.Load is { } load)
            _loading = Task.Run(() => LoadAsync(load), CancellationToken.None);
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        ServerLog.Ending(server.Logger, server.Drain.Running);
        return server.Drain.EndAsync(server.Options.Drain, cancellationToken);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    void IProgress<LoadProgress>.Report(LoadProgress value) => server.Loaded = value.Fraction;

    public async ValueTask DisposeAsync()
    {
        _stop.Dispose();
        if (_loaded is IAsyncDisposable disposable)
            await disposable.DisposeAsync().ConfigureAwait(false);
        else
            _loaded?.Dispose();
    }

    private async Task LoadAsync(
        Func<IServiceProvider, IProgress<LoadProgress>, CancellationToken, Task<IChatClient>> load
    )
    {
        try
        {
            _loaded = await load(services, this, _stop.Token).ConfigureAwait(false);
            Serve(_loaded);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested) { }
        catch (Exception error)
        {
            ServerLog.NotLoaded(server.Logger, error);
            lifetime.StopApplication();
        }
    }

    private void Serve(IChatClient client)
    {
        server.Serve(client);
        ServerLog.Serving(server.Logger, Printable.Name(server.Model!.Models.Id));
    }
}
