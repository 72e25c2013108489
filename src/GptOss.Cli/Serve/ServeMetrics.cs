using GptOss.AspNetCore;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;

namespace GptOss.Cli.Serve;

/// <summary>
/// Where the figures of the server and its model go: to whoever asks at <c>/metrics</c>, and to a collector where the
/// usual variable of OpenTelemetry names one.
/// </summary>
internal static class ServeMetrics
{
    private const string CollectorVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private static bool HasCollector => Environment.GetEnvironmentVariable(CollectorVariable) is { Length: > 0 };

    /// <summary>Adds what listens to the meters, where anybody wants to know of them.</summary>
    /// <param name="services">The services of the server.</param>
    /// <param name="hasMetrics">Whether <c>/metrics</c> is there.</param>
    public static void AddTo(IServiceCollection services, bool hasMetrics)
    {
        if (!hasMetrics && !HasCollector)
            return;
        services
            .AddOpenTelemetry()
            .WithMetrics(metrics =>
            {
                metrics.AddMeter(nameof(GptOss), "GptOss.AspNetCore");
                if (hasMetrics)
                    metrics.AddPrometheusExporter();
                if (HasCollector)
                    metrics.AddOtlpExporter();
            });
    }

    /// <summary>Maps <c>/metrics</c>, for those who may ask the server.</summary>
    public static void Map(WebApplication app) => app.MapPrometheusScrapingEndpoint("/metrics").RequireGptOssKey();
}
