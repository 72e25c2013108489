using System.Globalization;

namespace GptOss.AspNetCore.Http;

/// <summary>One request, from its head to the last byte of its answer, as the log tells it.</summary>
/// <param name="node">The number of this server among several.</param>
/// <param name="time">Measures how long things take.</param>
internal sealed class Visit(int node, TimeProvider time)
{
    /// <summary>The end of a request whose client went away.</summary>
    public const string Gone = "gone";

    private readonly long _start = time.GetTimestamp();

    /// <summary>
    /// 32 hexadecimal digits that all ids of the answer are made of; the first two name the server.
    /// </summary>
    public string Number { get; } =
        string.Create(CultureInfo.InvariantCulture, $"{node:x2}{Guid.NewGuid().ToString("N")[2..]}");

    /// <summary>The id of the request, in a header of every answer.</summary>
    public string Id => $"req_{Number}";

    /// <summary>Seconds since 1970 when the request came.</summary>
    public long Created { get; } = time.GetUtcNow().ToUnixTimeSeconds();

    /// <summary>The time since the request came.</summary>
    public TimeSpan Elapsed => time.GetElapsedTime(_start);

    /// <summary>Whose computed prompts the request may use; null for those of all without a key.</summary>
    public string? Scope { get; set; }

    /// <summary>The dialect that the request to the model speaks; null where it is none to the model.</summary>
    public string? Dialect { get; set; }

    /// <summary>The model's name as the request has it; null where it was not read.</summary>
    public string? Model { get; set; }

    /// <summary>The time until the prompt was begun; null where it was not.</summary>
    public TimeSpan? Waited { get; set; }

    /// <summary>The time until the first word of the answer; null where none came.</summary>
    public TimeSpan? First { get; set; }

    /// <summary>The tokens that the request took, once it is over.</summary>
    public Microsoft.Extensions.AI.UsageDetails? Usage { get; set; }

    /// <summary>How it ended: a finish reason, the code of a fault, or <see cref="Gone"/>.</summary>
    public string? End { get; set; }

    /// <summary>Whether it ended with a fault that the client was told.</summary>
    public bool IsFault { get; private set; }

    /// <summary>Notes that the client is told of a fault.</summary>
    public void Fail(string code) => (End, IsFault) = (code, true);
}
