using GptOss.AspNetCore.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace GptOss.AspNetCore;

/// <summary>
/// What <c>/health</c> says, for the health checks of ASP.NET Core: healthy while the model answers, degraded once a
/// weight turned out to be damaged, unhealthy while it is loaded or the server ends.
/// </summary>
/// <param name="services">The services of the host, with the server among them.</param>
public sealed class GptOssHealthCheck(IServiceProvider services) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    )
    {
        var server = services.GetRequiredService<ServerCore>();
        (Wire.HealthReport report, int status) = new Notices(server, new ChatDialect()).Health();
        return Task.FromResult(
            status == StatusCodes.Status200OK ? HealthCheckResult.Healthy(report.Model)
            : report.Reason is { } reason ? HealthCheckResult.Degraded(reason)
            : HealthCheckResult.Unhealthy(report.Status)
        );
    }
}
