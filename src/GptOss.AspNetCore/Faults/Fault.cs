namespace GptOss.AspNetCore.Faults;

/// <summary>What kind of fault a request met; each dialect has a status and a type for each of them.</summary>
internal enum FaultKind
{
    /// <summary>The request's body says something that is wrong or not offered.</summary>
    Invalid,

    /// <summary>A key is needed, and none of the right ones came.</summary>
    Unauthorized,

    /// <summary>The request comes from a page that may not ask.</summary>
    Forbidden,

    /// <summary>There is no such path, model or stored answer.</summary>
    NotFound,

    /// <summary>The path is there, but not for this method.</summary>
    Method,

    /// <summary>The body came too slowly, or the answer took too long.</summary>
    Timeout,

    /// <summary>The body is larger than the limit.</summary>
    TooLarge,

    /// <summary>The body is not JSON in UTF-8, or is compressed.</summary>
    MediaType,

    /// <summary>The server is full, loading or ending: another try later may succeed.</summary>
    Busy,

    /// <summary>A defect of the server or of its model.</summary>
    Internal,
}

/// <summary>What went wrong with a request, as every dialect tells it in its own words.</summary>
/// <param name="Kind">Gives the status and the type.</param>
/// <param name="Code">A word for programs, such as <c>invalid_value</c>.</param>
/// <param name="Message">One sentence for a person: what, where, what was expected, what was found.</param>
/// <param name="Param">The place in the body, such as <c>messages[2].role</c>; null for none.</param>
internal sealed record Fault(FaultKind Kind, string Code, string Message, string? Param = null)
{
    private const int MessageLimit = 500;

    /// <summary>One line of at most 500 UTF-16 units, whatever of the caller's text it quotes.</summary>
    public string Message { get; } =
        Printable.Line(Message) is { Length: > MessageLimit } long_
            ? long_[..(MessageLimit - 1)] + "…"
            : Printable.Line(Message);

    /// <summary>When another try may succeed; null where none does.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The methods that the path is there for; empty unless that is the fault.</summary>
    public IReadOnlyList<string> Allowed { get; init; } = [];

    /// <summary>The prompt's tokens and those of the context, where the prompt is too long.</summary>
    public (int Used, int Most)? Tokens { get; init; }

    /// <summary>A text of the caller, at most 80 UTF-16 units of it, in quotation marks.</summary>
    public static string Quote(string text) => $"'{Printable.Name(text)}'";
}

/// <summary>Ends the reading of a request with a <see cref="Faults.Fault"/>.</summary>
/// <param name="fault">What the client is told.</param>
internal sealed class FaultException(Fault fault) : Exception(fault.Message)
{
    /// <summary>What the client is told.</summary>
    public Fault Fault { get; } = fault;
}
