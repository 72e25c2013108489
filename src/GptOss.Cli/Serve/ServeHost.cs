using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using GptOss.AspNetCore;
using GptOss.Cli.Shell;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace GptOss.Cli.Serve;

/// <summary>The process of <c>gptoss serve</c>: listens, loads, answers, and ends at a signal.</summary>
/// <param name="request">What the command line says.</param>
/// <param name="interruption">Tells of the signals that end the server.</param>
internal sealed class ServeHost(ServeRequest request, Interruption interruption)
{
    private const int MostConnections = 1_000;

    private ExceptionDispatchInfo? _notLoaded;

    /// <summary>Serves until a signal comes.</summary>
    /// <exception cref="IOException">The port is in use.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using X509Certificate2? certificate = Certificate();
        WebApplication app = Build(certificate);
        await using (app.ConfigureAwait(false))
        {
            try
            {
                await app.StartAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (IOException error) when (error.InnerException is AddressInUseException)
            {
                throw new IOException(
                    $"Port {request.Port} of {request.Address} is in use by another program. Take another one: "
                        + "--port N."
                );
            }
            catch (SocketException error)
            {
                throw new IOException(
                    $"{new IPEndPoint(request.Address, request.Port)} cannot be listened on: {error.Message}. "
                        + "--host ADDRESS and --port N choose another place."
                );
            }
            interruption.AtFirstSignal = app.Lifetime.StopApplication;
            string address = Address(app),
                here = Browser.PageOf(address);
            // Nobody can go to "any address", and its name is none of those that are answered to.
            Console.Out.WriteLine(
                $"Listening on {address}" + (here == $"{address}/" ? "" : $", on this machine {here.TrimEnd('/')}")
            );
            if (request.OpensPage)
                Browser.Open(Address(app));
            await app.WaitForShutdownAsync(CancellationToken.None).ConfigureAwait(false);
            interruption.AtFirstSignal = null;
        }
        _notLoaded?.Throw();
    }

    private WebApplication Build(X509Certificate2? certificate)
    {
        // Empty, so that no file in the folder where the tool is started, and no variable, changes what it does.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Configure(kestrel, certificate));
        builder.Services.AddRoutingCore();
        builder.Services.AddCors();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddHostFiltering(filter =>
        {
            filter.AllowedHosts = HostNames();
            filter.IncludeFailureMessage = false;
        });
        builder.Services.AddGptOssServer(server =>
        {
            request.Server(server);
            foreach (string host in request.Hosts)
            foreach (string scheme in (string[])["http", "https"])
                server.Origins.Add($"{scheme}://{host}");
            server.Load = LoadAsync;
        });
        builder
            .Services.AddOptions<HostOptions>()
            .Configure<IOptions<GptOssServerOptions>>(
                (host, server) => host.ShutdownTimeout = server.Value.Drain + TimeSpan.FromSeconds(10)
            );
        ServeMetrics.AddTo(builder.Services, request.HasMetrics);
        AddLog(builder.Logging);
        WebApplication app = builder.Build();
        app.UseHostFiltering();
        app.UseRouting();
        Map(app);
        if (request.HasMetrics)
            ServeMetrics.Map(app);
        if (request.HasPage)
            app.MapGptOssPage();
        else
            // Clients ask with HEAD whether somebody is there.
            app.MapMethods("/", [HttpMethods.Head], _ => Task.CompletedTask);
        return app;
    }

    private static void Map(WebApplication app)
    {
        string[] origins = [.. app.Services.GetRequiredService<IOptions<GptOssServerOptions>>().Value.Origins];
        if (origins.Length == 0)
        {
            app.MapGptOss();
            return;
        }
        app.UseCors();
        app.MapGptOss()
            .RequireCors(policy =>
                policy
                    .WithOrigins(origins)
                    .AllowAnyHeader()
                    .AllowAnyMethod()
                    .WithExposedHeaders("x-request-id", "x-gptoss-ignored", "retry-after")
            );
    }

    private void Configure(KestrelServerOptions kestrel, X509Certificate2? certificate)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = MostConnections;
        kestrel.Listen(request.Address, request.Port, listen =>
        {
            // HTTP/2 needs TLS, where client and server agree on it.
            listen.Protocols = certificate is null ? HttpProtocols.Http1 : HttpProtocols.Http1AndHttp2;
            if (certificate is not null)
                listen.UseHttps(certificate);
        });
    }

    private async Task<IChatClient> LoadAsync(
        IServiceProvider services,
        IProgress<LoadProgress> progress,
        CancellationToken cancellationToken
    )
    {
        try
        {
            GptOssChatClient client = await GptOssChatClient
                .LoadAsync(
                    request.Path,
                    request.Model,
                    progress,
                    services.GetRequiredService<ILoggerFactory>(),
                    cancellationToken: cancellationToken
                )
                .ConfigureAwait(false);
            foreach (string note in client.GetService<GptOssModel>()?.Notes ?? [])
                Failure.WriteLine(note);
            return client;
        }
        catch (Exception error)
        {
            _notLoaded = ExceptionDispatchInfo.Capture(error);
            throw;
        }
    }

    private void AddLog(ILoggingBuilder log)
    {
        log.AddSimpleConsole(line =>
        {
            line.SingleLine = true;
            line.TimestampFormat = "HH:mm:ss ";
            line.ColorBehavior = LoggerColorBehavior.Disabled;
        });
        log.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        log.AddFilter(null, LogLevel.Warning);
        // A model that cannot be loaded is told in one line, as every failure of the tool.
        log.AddFilter("GptOss.AspNetCore", level => level >= LogLevel.Information && _notLoaded is null);
        log.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
        if (!request.IsVerbose)
            return;
        log.AddFilter(nameof(GptOss), LogLevel.Trace);
        Failure.WriteLine("--verbose: the log holds what is asked and answered.");
    }

    private X509Certificate2? Certificate()
    {
        if (request.Certificate is not { } file)
            return null;
        try
        {
            return X509Certificate2.CreateFromPemFile(file, request.CertificateKey);
        }
        catch (CryptographicException error)
        {
            throw new IOException($"{file} is no certificate that can be used: {error.Message}");
        }
    }

    /// <summary>
    /// The names under which the server may be asked: a page of a name that somebody else made point here has none of
    /// them.
    /// </summary>
    private List<string> HostNames()
    {
        List<string> names = ["localhost", "127.0.0.1", "[::1]", .. request.Hosts];
        if (!request.Address.Equals(IPAddress.Any) && !request.Address.Equals(IPAddress.IPv6Any))
            return [.. names, Name(request.Address)];
        // The address that stands for all is no name: the filter would take it for every name there is.
        names.Add(Dns.GetHostName());
        names.AddRange(
            NetworkInterface
                .GetAllNetworkInterfaces()
                .SelectMany(face => face.GetIPProperties().UnicastAddresses)
                .Select(unicast => Name(unicast.Address))
        );
        return names;
    }

    private static string Name(IPAddress address)
    {
        // The scope of a local address is no part of its name.
        string name = address.ToString().Split('%')[0];
        return name.Contains(':', StringComparison.Ordinal) ? $"[{name}]" : name;
    }

    private static string Address(WebApplication app) =>
        app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    /// <summary>The tool handles signals itself, so the host shall not.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
