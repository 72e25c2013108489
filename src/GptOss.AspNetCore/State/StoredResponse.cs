using System.Text.Json;
using GptOss.AspNetCore.Requests;
using GptOss.AspNetCore.Wire;

namespace GptOss.AspNetCore.State;

/// <summary>An answer that a later request can build on: its own items and the way to those before them.</summary>
/// <param name="Number">32 hexadecimal digits, of which the ids of the answer are made.</param>
/// <param name="Scope">Whose answer it is; null where all are one.</param>
/// <param name="Parent">The number of the answer that it built on; null for none.</param>
/// <param name="Input">The items that the request itself brought, as a list in JSON.</param>
/// <param name="Response">The whole answer, in JSON.</param>
internal sealed record StoredResponse(string Number, string? Scope, string? Parent, byte[] Input, byte[] Response)
{
    private const int BytesBeside = 500;

    /// <summary>About how much memory it takes.</summary>
    public long Bytes => BytesBeside + Input.Length + Response.Length;

    /// <summary>An answer that is complete.</summary>
    /// <param name="number">The number of the answer.</param>
    /// <param name="ask">The request that it answers.</param>
    /// <param name="whole">The answer, as it was sent.</param>
    public static StoredResponse Of(string number, ResponsesAsk ask, ResponseObject whole) =>
        new(
            number,
            ask.Scope,
            ask.PreviousResponseId is { } parent ? ItemIds.NumberOf(parent) : null,
            ask.Input,
            JsonSerializer.SerializeToUtf8Bytes(whole, WireJson.Readable.ResponseObject)
        );

    /// <summary>The items that the request itself brought.</summary>
    public IReadOnlyList<JsonElement> InputItems() => [.. JsonElement.Parse(Input).EnumerateArray()];

    /// <summary>What the model thought, said and called.</summary>
    public IReadOnlyList<JsonElement> OutputItems() =>
        [.. JsonElement.Parse(Response).GetProperty("output").EnumerateArray()];
}
