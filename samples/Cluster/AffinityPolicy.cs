using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Yarp.ReverseProxy.LoadBalancing;
using Yarp.ReverseProxy.Model;

namespace GptOss.Samples.Cluster;

/// <summary>
/// Sends what belongs together to one node, as long as that is not busier than the others; remembers nothing.
/// </summary>
internal sealed class AffinityPolicy : ILoadBalancingPolicy
{
    public const string PolicyName = "Affinity";

    public string Name => PolicyName;

    /// <remarks>
    /// Each pair of key and node has a rank (rendezvous hashing): a node that comes or goes moves only the keys that
    /// are its own. A node is passed over with more than 1.5 times the requests of the least busy one, and 2.
    /// </remarks>
    public DestinationState? PickDestination(
        HttpContext context,
        ClusterState cluster,
        IReadOnlyList<DestinationState> availableDestinations
    )
    {
        Affinity? affinity = context.Features.Get<Affinity>();
        // A node that has stored an answer is the only one that knows it, be it busy or away.
        if (affinity?.Node is { } node && cluster.Destinations.ContainsKey(node))
            return availableDestinations.FirstOrDefault(destination => destination.DestinationId == node);
        if (availableDestinations.Count == 0)
            return null;
        double most = 1.5 * availableDestinations.Min(destination => destination.ConcurrentRequestCount) + 2;
        IEnumerable<DestinationState> free = availableDestinations.Where(destination =>
            destination.ConcurrentRequestCount <= most
        );
        return affinity?.Key is { } key
            ? free.MaxBy(destination => Rank(key, destination))
            : free.MinBy(destination => destination.ConcurrentRequestCount);
    }

    private static ulong Rank(string key, DestinationState node) =>
        BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{node.DestinationId} {key}")));
}
