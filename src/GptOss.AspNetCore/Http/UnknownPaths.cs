using GptOss.AspNetCore.Faults;
using Microsoft.AspNetCore.Http;

namespace GptOss.AspNetCore.Http;

/// <summary>Answers paths that are not there, with what to use in their place.</summary>
/// <param name="errors">The dialect whose form errors have.</param>
/// <param name="paths">The paths that are there, for the message.</param>
internal sealed class UnknownPaths(Dialect errors, IReadOnlyList<string> paths)
{
    /// <summary>Answers with the status 404.</summary>
    public Task AnswerAsync(HttpContext http, Visit visit) =>
        ErrorWriter.WriteAsync(http, errors, Unknown(http.Request.Path.Value ?? ""), visit);

    private Fault Unknown(string path) =>
        new(FaultKind.NotFound, "unknown_url", $"There is nothing at {Fault.Quote(path)}. {Advice(path)}");

    private string Advice(string path) =>
        Has(path, "/embeddings") ? "Embeddings need a model of another kind, which this server has not."
        : Has(path, "/api/") ? "Ollama's API is not spoken here: use POST /v1/chat/completions."
        : path.TrimEnd('/').EndsWith("/completions", StringComparison.OrdinalIgnoreCase)
            ? "Plain completions are not offered: use POST /v1/chat/completions."
        : Has(path, "/v1/v1/") ? "This client adds '/v1' by itself: leave it out of the base URL."
        : path.TrimEnd('/').EndsWith("/v1", StringComparison.OrdinalIgnoreCase)
            ? "It is the base URL of programs, which ask for paths below it; the page for people is at '/'."
        : $"The paths are {string.Join(", ", paths)}.";

    private static bool Has(string path, string part) => path.Contains(part, StringComparison.OrdinalIgnoreCase);
}
