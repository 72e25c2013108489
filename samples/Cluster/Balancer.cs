using System.Net;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.LoadBalancing;
using Yarp.ReverseProxy.Model;
using Yarp.ReverseProxy.Transforms;

namespace GptOss.Samples.Cluster;

/// <summary>The proxy in front of the nodes: asks for their health, and tries a refused request once more.</summary>
internal static class Balancer
{
    /// <param name="builder">The application of the proxy.</param>
    /// <param name="nodes">The addresses of the nodes; the place of each is the number that its ids begin with.</param>
    public static void AddBalancer(this WebApplicationBuilder builder, IReadOnlyList<string> nodes)
    {
        builder.Services.AddSingleton<ILoadBalancingPolicy, AffinityPolicy>();
        var cluster = new ClusterConfig
        {
            ClusterId = "nodes",
            LoadBalancingPolicy = AffinityPolicy.PolicyName,
            Destinations = Enumerable
                .Range(0, nodes.Count)
                .ToDictionary(number => $"{number:x2}", number => new DestinationConfig { Address = nodes[number] }),
            HealthCheck = new()
            {
                Active = new()
                {
                    Enabled = true,
                    Interval = TimeSpan.FromSeconds(2),
                    Timeout = TimeSpan.FromSeconds(2),
                    Policy = "ConsecutiveFailures",
                    Path = "/health",
                },
            },
            Metadata = new Dictionary<string, string> { ["ConsecutiveFailuresHealthPolicy.Threshold"] = "1" },
            // A request waits up to two minutes for its turn and is silent until then.
            HttpRequest = new ForwarderRequestConfig { ActivityTimeout = TimeSpan.FromMinutes(5) },
        };
        var route = new RouteConfig
        {
            RouteId = "all",
            ClusterId = cluster.ClusterId,
            Match = new() { Path = "{**path}" },
        };
        builder
            .Services.AddReverseProxy()
            .LoadFromMemory([route], [cluster])
            .AddTransforms(context =>
            {
                // A node compares the origin of a page with the host that was asked.
                context.AddOriginalHost();
                context.AddResponseTransform(response =>
                {
                    // A refusal is not written yet while there is another node that may take the request.
                    response.SuppressResponseBody =
                        response.HttpContext.Features.Get<Affinity>() is { CanMove: true }
                        && response.ProxyResponse?.StatusCode == HttpStatusCode.ServiceUnavailable;
                    return default;
                });
            });
    }

    public static void MapBalancer(this WebApplication app) =>
        app.MapReverseProxy(proxy =>
        {
            proxy.Use(TryTwiceAsync);
            proxy.UseLoadBalancing();
        });

    private static async Task TryTwiceAsync(HttpContext http, RequestDelegate next)
    {
        IReverseProxyFeature proxy = http.GetReverseProxyFeature();
        IReadOnlyList<DestinationState> nodes = proxy.AvailableDestinations;
        Affinity affinity = await Affinity.OfAsync(http.Request, http.RequestAborted);
        affinity.CanMove = affinity.Node is null && nodes.Count > 1;
        http.Features.Set(affinity);
        await next(http);
        if (!affinity.CanMove || http.Response.HasStarted || http.RequestAborted.IsCancellationRequested)
            return;
        // What a node that cannot be reached leaves is a 502.
        if (
            http.Response.StatusCode is not (StatusCodes.Status503ServiceUnavailable or StatusCodes.Status502BadGateway)
        )
            return;
        affinity.CanMove = false;
        proxy.AvailableDestinations = [.. nodes.Where(node => node != proxy.ProxiedDestination)];
        http.Features.Set<IForwarderErrorFeature>(null);
        http.Response.Clear();
        http.Request.Body.Position = 0;
        await next(http);
    }
}
