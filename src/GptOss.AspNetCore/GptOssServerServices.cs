using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace GptOss.AspNetCore;

/// <summary>Adds what the endpoints of <see cref="GptOssEndpoints.MapGptOss"/> need to a host's services.</summary>
public static class GptOssServerServices
{
    /// <summary>
    /// Adds the server. It answers with the <see cref="Microsoft.Extensions.AI.IChatClient"/> of the services, whatever
    /// its kind and its pipeline, or with the one that <see cref="GptOssServerOptions.Load"/> loads.
    /// </summary>
    /// <param name="services">The services of the host.</param>
    /// <param name="configure">Sets the options; null for the defaults.</param>
    /// <returns>The same services, for further calls.</returns>
    public static IServiceCollection AddGptOssServer(
        this IServiceCollection services,
        Action<GptOssServerOptions>? configure = null
    )
    {
        ArgumentNullException.ThrowIfNull(services);
        OptionsBuilder<GptOssServerOptions> options = services.AddOptions<GptOssServerOptions>();
        if (configure is not null)
            options.Configure(configure);
        services.TryAddSingleton(provider => new ServerCore(
            provider.GetRequiredService<IOptions<GptOssServerOptions>>(),
            provider.GetRequiredService<ILoggerFactory>(),
            provider.GetService<IMeterFactory>(),
            provider.GetService<TimeProvider>()
        ));
        services.TryAddSingleton<ServerLifetime>();
        services.TryAddEnumerable(
            ServiceDescriptor.Singleton<IHostedService, ServerLifetime>(provider =>
                provider.GetRequiredService<ServerLifetime>()
            )
        );
        return services;
    }
}
