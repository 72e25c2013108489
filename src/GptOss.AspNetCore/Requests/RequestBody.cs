using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;
using GptOss.AspNetCore.Faults;

namespace GptOss.AspNetCore.Requests;

/// <summary>A body in JSON that was read; its values are gone once it is disposed.</summary>
internal sealed class RequestBody : IDisposable
{
    private const int DepthLimit = 64;

    /// <summary>
    /// Has the memory for bodies. The shared pool keeps one array of each size for every thread: after a few bodies of
    /// 16 MB that is hundreds of megabytes. This one keeps 16 of a size, up to a megabyte.
    /// </summary>
    public static readonly ArrayPool<byte> Buffers = ArrayPool<byte>.Create(1 << 20, 16);

    private static readonly JsonDocumentOptions Strict = new()
    {
        MaxDepth = DepthLimit,
        AllowDuplicateProperties = false,
    };

    private readonly JsonDocument _document;
    private readonly byte[] _pooled;
    private IDisposable? _turn;

    private RequestBody(JsonDocument document, byte[] pooled, IDisposable? turn) =>
        (_document, _pooled, _turn) = (document, pooled, turn);

    /// <summary>The whole body, which is an object.</summary>
    public WireValue Root => new(_document.RootElement, "");

    /// <summary>Reads JSON out of the bytes of a body, which may be changed on the way.</summary>
    /// <param name="bytes">The bytes of the body.</param>
    /// <param name="pooled">The array that holds them, which goes back to the pool with the body.</param>
    /// <param name="turn">Let go with the body: the turn of a large one; null for one that needs none.</param>
    /// <exception cref="FaultException">The bytes are not one object of JSON in UTF-8.</exception>
    public static RequestBody Parse(Memory<byte> bytes, byte[] pooled, IDisposable? turn = null)
    {
        if (bytes.Span.StartsWith("\uFEFF"u8))
            bytes = bytes[3..];
        if (bytes.Span.Trim(" \t\r\n"u8).IsEmpty)
            throw Invalid("The body is empty; expected a JSON object.");
        if (!Utf8.IsValid(bytes.Span))
            throw Invalid("The body is not valid UTF-8.");
        LoneSurrogates.Replace(bytes.Span);
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(bytes, Strict);
        }
        catch (JsonException error)
        {
            throw Invalid(Describe(error));
        }
        var root = new WireValue(document.RootElement, "");
        if (root.IsObject)
            return new RequestBody(document, pooled, turn);
        FaultException fault = root.WrongType("an object");
        document.Dispose();
        throw fault;
    }

    /// <summary>Hands the turn of a large body over to what is made of it; null where it needs none.</summary>
    public IDisposable? TakeTurn()
    {
        (IDisposable? turn, _turn) = (_turn, null);
        return turn;
    }

    public void Dispose()
    {
        _turn?.Dispose();
        _document.Dispose();
        Buffers.Return(_pooled);
    }

    private static FaultException Invalid(string message) => new(new Fault(FaultKind.Invalid, "invalid_json", message));

    // Line and column count from 0 in the exception; its own words name types of .NET.
    private static string Describe(JsonException error)
    {
        string problem =
            error.Message.Contains("uplicate", StringComparison.Ordinal) ? "a key appears twice in one object"
            : error.Message.Contains("depth", StringComparison.Ordinal)
                ? string.Create(CultureInfo.InvariantCulture, $"it is nested deeper than {DepthLimit}")
            : "it is not valid JSON";
        return error.LineNumber is { } line && error.BytePositionInLine is { } column
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"The body cannot be read at line {line + 1}, byte {column + 1}: {problem}."
            )
            : $"The body cannot be read: {problem}.";
    }
}
