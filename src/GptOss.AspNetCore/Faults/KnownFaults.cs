using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace GptOss.AspNetCore.Faults;

/// <summary>The faults that no field of a body is to blame for, and what exceptions become.</summary>
internal static class KnownFaults
{
    /// <summary>What is said where a file of weights is no longer what it was.</summary>
    public const string ChangedFile = "A file of the model was changed while it was in use.";

    /// <summary>How long a client should wait for a model that loads.</summary>
    private static readonly TimeSpan WhileLoading = TimeSpan.FromSeconds(2);

    public static Fault Unauthorized { get; } =
        new(
            FaultKind.Unauthorized,
            "invalid_api_key",
            "This server needs a key: send it as 'Authorization: Bearer KEY' or as 'x-api-key: KEY'."
        );

    public static Fault ForeignOrigin { get; } =
        new(
            FaultKind.Forbidden,
            "foreign_origin",
            "This server does not answer pages of other origins. Whoever runs it can allow one by name."
        );

    public static Fault ShuttingDown { get; } =
        new(FaultKind.Busy, "shutting_down", "The server is shutting down.") { RetryAfter = TimeSpan.FromSeconds(5) };

    public static Fault Loading { get; } =
        new(FaultKind.Busy, "model_loading", "The model is being loaded. GET /health says how far it is.")
        {
            RetryAfter = WhileLoading,
        };

    /// <summary>A request has a length and chunks, so that its end may be taken for the next one's beginning.</summary>
    public static Fault TwoLengths { get; } =
        new(
            FaultKind.Invalid,
            "invalid_value",
            "A request should have a 'Content-Length' or 'Transfer-Encoding: chunked', but has both."
        );

    /// <summary>A client of Messages wants the server to hold its conversation.</summary>
    public static Fault Thread { get; } =
        new(
            FaultKind.Invalid,
            "thread_unsupported_request",
            "'thread' is not offered: send the whole conversation in 'messages'.",
            "thread"
        );

    public static Fault Overloaded(TimeSpan retryAfter) =>
        new(FaultKind.Busy, "overloaded", "As many requests run and wait as the server takes. Try again later.")
        {
            RetryAfter = retryAfter,
        };

    public static Fault TooSlow(TimeSpan limit) =>
        new(
            FaultKind.Timeout,
            "request_timeout",
            string.Create(
                CultureInfo.InvariantCulture,
                $"The answer took longer than the server's limit of {limit.TotalSeconds:0} seconds."
            )
        );

    public static Fault TooLarge(long limit) =>
        new(
            FaultKind.TooLarge,
            "request_too_large",
            string.Create(CultureInfo.InvariantCulture, $"The body is larger than the limit of {limit} bytes.")
        );

    /// <summary>What a request refers to is larger than a body may be.</summary>
    public static Fault TooLargeReferences(long limit) =>
        new(
            FaultKind.TooLarge,
            "request_too_large",
            string.Create(
                CultureInfo.InvariantCulture,
                $"What the body refers to, stored items and tools, has more than the limit of {limit} bytes together."
            )
        );

    public static Fault TooLong(ContextLengthException error) =>
        new(
            FaultKind.Invalid,
            "context_length_exceeded",
            string.Create(
                CultureInfo.InvariantCulture,
                $"The maximum context length is {error.ContextLength} tokens, and this request used "
                    + $"{error.PromptTokens} tokens in its messages and tools."
            )
        )
        {
            Tokens = (error.PromptTokens, error.ContextLength),
        };

    /// <summary>What a client is told of an exception; details of a defect stay in the log.</summary>
    /// <param name="error">What the chat client or the reading of the body threw.</param>
    /// <param name="requestId">Named in the message of a defect, so that it can be found in the log.</param>
    /// <param name="retryAfter">When a full server may have room again.</param>
    /// <param name="placeOf">The place in the body of a schema that is wrong.</param>
    public static Fault Of(
        Exception error,
        string requestId,
        TimeSpan retryAfter,
        Func<SchemaException, string?>? placeOf = null
    ) =>
        error switch
        {
            FaultException own => own.Fault,
            ContextLengthException tooLong => TooLong(tooLong),
            EngineBusyException or OutOfMemoryException => Overloaded(retryAfter),
            ObjectDisposedException => ShuttingDown,
            SchemaException schema => new Fault(
                FaultKind.Invalid,
                "invalid_schema",
                schema.Message,
                placeOf?.Invoke(schema)
            ),
            BadHttpRequestException bad => OfKestrel(bad),
            CheckpointException => new Fault(
                FaultKind.Internal,
                "internal_error",
                $"{ChangedFile} The log has more under {requestId}."
            ),
            _ => new Fault(FaultKind.Internal, "internal_error", $"Internal error; the log has it under {requestId}."),
        };

    private static Fault OfKestrel(BadHttpRequestException bad) =>
        bad.StatusCode switch
        {
            StatusCodes.Status413PayloadTooLarge => new(FaultKind.TooLarge, "request_too_large", bad.Message),
            StatusCodes.Status408RequestTimeout => new(FaultKind.Timeout, "request_timeout", bad.Message),
            _ => new(FaultKind.Invalid, "invalid_json", bad.Message),
        };
}
