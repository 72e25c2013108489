using Microsoft.Extensions.Logging;

namespace GptOss.AspNetCore.Http;

/// <summary>What the server says in the log: never a prompt, an answer or a key.</summary>
internal static partial class ServerLog
{
    [LoggerMessage(
        1,
        LogLevel.Information,
        "{Method} {Path} {Status}: model {Model}, tokens {Prompt} prompt {Cached} cached {Output} output, "
            + "waited {Waited} ms, first word {First} ms, total {Total} ms, {End}, {Id}",
        SkipEnabledCheck = true
    )]
    public static partial void Answered(
        ILogger logger,
        string method,
        string path,
        int status,
        string model,
        long prompt,
        long cached,
        long output,
        long waited,
        long first,
        long total,
        string end,
        string id
    );

    [LoggerMessage(
        EventId = 6,
        Message = "{Method} {Path} {Status}: total {Total} ms, {End}, {Id}",
        SkipEnabledCheck = true
    )]
    public static partial void Told(
        ILogger logger,
        LogLevel level,
        string method,
        string path,
        int status,
        long total,
        string end,
        string id
    );

    [LoggerMessage(2, LogLevel.Error, "The request {Id} failed, which is a defect.")]
    public static partial void Defect(ILogger logger, string id, Exception error);

    [LoggerMessage(3, LogLevel.Information, "The model {Model} answers.")]
    public static partial void Serving(ILogger logger, string model);

    [LoggerMessage(4, LogLevel.Critical, "The model cannot be loaded, so the server ends.")]
    public static partial void NotLoaded(ILogger logger, Exception error);

    [LoggerMessage(5, LogLevel.Information, "The server ends; {Running} requests are answered until then.")]
    public static partial void Ending(ILogger logger, int running);
}
