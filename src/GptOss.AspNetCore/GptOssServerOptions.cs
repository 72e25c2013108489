using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore;

/// <summary>What a server allows and how long it waits. Checked when the server starts.</summary>
public sealed class GptOssServerOptions
{
    /// <summary>
    /// Loads the client that answers, while the server already listens and says how far the loading is; null takes the
    /// <see cref="IChatClient"/> of the services. The server disposes what it has loaded.
    /// </summary>
    public Func<IServiceProvider, IProgress<LoadProgress>, CancellationToken, Task<IChatClient>>? Load { get; set; }

    /// <summary>
    /// The model's name, which is listed first; null for that of the client, such as <c>gpt-oss-20b</c>.
    /// </summary>
    public string? ModelId { get; set; }

    /// <summary>Further names of the model, which are listed too; <c>*</c> takes every name.</summary>
    public IList<string> Aliases { get; } = [];

    /// <summary>
    /// The keys that requests may bring, as <c>Authorization: Bearer KEY</c> or <c>x-api-key: KEY</c>; empty, with
    /// <see cref="ApiKeyFile"/> null, lets everybody in.
    /// </summary>
    public IList<string> ApiKeys { get; } = [];

    /// <summary>A file with more keys, one a line, which is read again when it changes; null for none.</summary>
    public string? ApiKeyFile { get; set; }

    /// <summary>
    /// The origins, such as <c>https://chat.example</c>, whose pages may ask beside the server's own; <c>*</c> stands
    /// for all. Requests of other pages are refused, unless the endpoints have a CORS policy and this is empty.
    /// </summary>
    public IList<string> Origins { get; } = [];

    /// <summary>
    /// Whose prompts' computed keys and values a request may use again; null for the hash of its key, and for one
    /// scope of all where there are no keys. See <see cref="GptOssRequestOptions.CacheScope"/>.
    /// </summary>
    public Func<HttpContext, string?>? CacheScope { get; set; }

    /// <summary>The effort of requests that name none: low, medium (the default) or high.</summary>
    public string Effort { get; set; } = "medium";

    /// <summary>Whether a field that the server does not know is refused; false ignores it.</summary>
    public bool IsStrict { get; set; }

    /// <summary>The most bytes of a request's body; 16 MiB by default.</summary>
    public long MaxBodyBytes { get; set; } = 16 << 20;

    /// <summary>
    /// The most bodies beyond a megabyte that are read at the same time; 64 by default. Others wait, and are refused
    /// after <see cref="MaxWait"/>.
    /// </summary>
    public int MaxBodies { get; set; } = 64;

    /// <summary>
    /// The most requests that are answered at the same time; 4 by default. A <see cref="GptOssChatClient"/> has its
    /// own limit, <see cref="ModelOptions.MaxRunning"/>, and this one is not used.
    /// </summary>
    public int MaxRunning { get; set; } = 4;

    /// <summary>
    /// The most requests that wait; 64 by default. A <see cref="GptOssChatClient"/> has its own limit,
    /// <see cref="ModelOptions.MaxQueuedRequests"/>, and this one is not used.
    /// </summary>
    public int MaxQueued { get; set; } = 64;

    /// <summary>
    /// How long a request waits for its turn, where the client has no queue of its own, and a large body for its own;
    /// 120 s by default.
    /// </summary>
    public TimeSpan MaxWait { get; set; } = TimeSpan.FromSeconds(120);

    /// <summary>How long a request may take as a whole; 60 minutes by default.</summary>
    public TimeSpan MaxTime { get; set; } = TimeSpan.FromMinutes(60);

    /// <summary>How long running requests may go on when the server ends; 30 s by default.</summary>
    public TimeSpan Drain { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a stream may be silent before it shows a sign of life; 10 s by default.</summary>
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long a stream waits for the first word before it sends its status, so that a fault has a status of its own;
    /// 2 s by default.
    /// </summary>
    public TimeSpan StreamPatience { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long an answer that comes whole may take before the server sends its status and signs of life; 30 s by
    /// default. A fault behind that breaks the connection.
    /// </summary>
    public TimeSpan WholePatience { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a client may take to read what was sent before it counts as gone; 30 s by default.</summary>
    public TimeSpan MaxFlush { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The most answers of Responses that are kept for requests that build on them; 256 by default, 0 keeps none. They
    /// are kept in memory alone, and the one that was used least recently is forgotten first.
    /// </summary>
    public int MaxStored { get; set; } = 256;

    /// <summary>The most bytes that all kept answers take; 64 MiB by default.</summary>
    public long MaxStoredBytes { get; set; } = 64 << 20;

    /// <summary>How long an answer is kept that nobody uses; 1 hour by default.</summary>
    public TimeSpan MaxStoredTime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>
    /// The number of this server among several, 0 (the default) to 255: the first two digits of every id, so that a
    /// balancer finds the server that has stored an answer.
    /// </summary>
    public int Node { get; set; }

    /// <summary>
    /// Whether paths that no endpoint of the host has are told in JSON too; false leaves those outside of <c>/v1</c>
    /// and <c>/api</c> to the host.
    /// </summary>
    public bool AnswersEveryPath { get; set; }

    /// <exception cref="ArgumentException">An option is outside its range; the message names it.</exception>
    internal void ThrowIfInvalid()
    {
        Require(Requests.EffortWords.OfModel.Contains(Effort), nameof(Effort), "low, medium or high", Effort);
        Require(MaxBodyBytes is > 0 and <= 1 << 30, nameof(MaxBodyBytes), "1 to 1,073,741,824", MaxBodyBytes);
        Require(MaxBodies > 0, nameof(MaxBodies), "above zero", MaxBodies);
        Require(MaxRunning > 0, nameof(MaxRunning), "above zero", MaxRunning);
        Require(MaxQueued >= 0, nameof(MaxQueued), "at least zero", MaxQueued);
        Require(MaxStored >= 0, nameof(MaxStored), "at least zero", MaxStored);
        Require(MaxStoredBytes > 0, nameof(MaxStoredBytes), "above zero", MaxStoredBytes);
        Require(Node is >= 0 and <= 255, nameof(Node), "0 to 255", Node);
        Require(ModelId is not "", nameof(ModelId), "a name, or null", "empty");
        Require(!ApiKeys.Any(string.IsNullOrWhiteSpace), nameof(ApiKeys), "a list of keys", "one with an empty key");
        foreach (
            (string name, TimeSpan time) in (ReadOnlySpan<(string, TimeSpan)>)
                [
                    (nameof(MaxWait), MaxWait),
                    (nameof(MaxTime), MaxTime),
                    (nameof(Heartbeat), Heartbeat),
                    (nameof(StreamPatience), StreamPatience),
                    (nameof(WholePatience), WholePatience),
                    (nameof(MaxFlush), MaxFlush),
                    (nameof(MaxStoredTime), MaxStoredTime),
                ]
        )
            Require(
                time > TimeSpan.Zero && time.TotalMilliseconds < int.MaxValue,
                name,
                "above zero, below 24 days",
                time
            );
        Require(Drain >= TimeSpan.Zero, nameof(Drain), "at least zero", Drain);
    }

    private static void Require(bool holds, string option, string expected, object found)
    {
        if (!holds)
            throw new ArgumentException(
                FormattableString.Invariant(
                    $"{nameof(GptOssServerOptions)}.{option} should be {expected}, but is {found}."
                )
            );
    }
}
