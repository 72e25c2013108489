using System.Net;
using GptOss.AspNetCore;

namespace GptOss.Cli.Serve;

/// <summary>What <c>serve</c> was asked for.</summary>
internal sealed record ServeRequest
{
    /// <summary>The path of the model that answers.</summary>
    public string Path { get; init; } = "";

    public required ModelOptions Model { get; init; }

    public required IPAddress Address { get; init; }

    public required int Port { get; init; }

    /// <summary>Names beside the machine's own under which the server may be asked.</summary>
    public required IReadOnlyList<string> Hosts { get; init; }

    public required bool IsVerbose { get; init; }

    /// <summary>Whether <c>/metrics</c> gives the figures of the server and its model to Prometheus.</summary>
    public required bool HasMetrics { get; init; }

    /// <summary>The file of a certificate in PEM; null for plain HTTP.</summary>
    public string? Certificate { get; init; }

    /// <summary>The file of its private key, where the certificate's own file does not hold it.</summary>
    public string? CertificateKey { get; init; }

    /// <summary>Sets the options of the server.</summary>
    public required Action<GptOssServerOptions> Server { get; init; }
}
