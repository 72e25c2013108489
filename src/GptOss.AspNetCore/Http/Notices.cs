using System.Globalization;
using GptOss.AspNetCore.Faults;
using GptOss.AspNetCore.Requests;
using GptOss.AspNetCore.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Http;

/// <summary>The paths that tell something without asking the model: health, names, tokens.</summary>
/// <param name="server">What all requests share.</param>
/// <param name="errors">The dialect whose form errors have.</param>
internal sealed class Notices(ServerCore server, Dialect errors)
{
    // When OpenAI released gpt-oss.
    private static readonly DateTimeOffset Released = new(2025, 8, 5, 0, 0, 0, TimeSpan.Zero);

    /// <summary>How the server is; never waits for the model.</summary>
    public Task HealthAsync(HttpContext http, Visit visit)
    {
        (HealthReport report, int status) = Health();
        http.Response.StatusCode = status;
        return JsonReply.WriteAsync(http, report, WireJson.Readable.HealthReport);
    }

    /// <summary>How the server is, and the status that says whether it can answer.</summary>
    public (HealthReport Report, int Status) Health()
    {
        const int Unavailable = StatusCodes.Status503ServiceUnavailable;
        if (server.Drain.HasBegun)
            return (new HealthReport("draining") { Model = server.Model?.Models.Id }, Unavailable);
        if (server.Model is not { } model)
            return (new HealthReport("loading") { Progress = Math.Round(server.Loaded, 3) }, Unavailable);
        return server.Degraded is { } reason
            ? (new HealthReport("degraded") { Model = model.Models.Id, Reason = reason }, Unavailable)
            : (new HealthReport("ok") { Model = model.Models.Id }, StatusCodes.Status200OK);
    }

    /// <summary>All names under which the model is served.</summary>
    public Task ModelsAsync(HttpContext http, Visit visit) =>
        server.Model is { } model
            ? JsonReply.WriteAsync(
                http,
                new ListedModels([.. model.Models.Listed.Select(id => Listed(id, model))]),
                WireJson.Readable.ListedModels
            )
            : ErrorWriter.WriteAsync(http, errors, KnownFaults.Loading, visit);

    /// <summary>One name under which the model is served.</summary>
    public Task ModelAsync(HttpContext http, Visit visit)
    {
        if (server.Model is not { } model)
            return ErrorWriter.WriteAsync(http, errors, KnownFaults.Loading, visit);
        // A name may hold a slash: openai/gpt-oss-20b.
        string id = http.GetRouteValue("id") as string ?? "";
        return model.Models.Knows(id)
            ? JsonReply.WriteAsync(http, Listed(id, model), WireJson.Readable.ListedModel)
            : ErrorWriter.WriteAsync(http, errors, model.Models.Unknown(id), visit);
    }

    /// <summary>The tokens of a text, or how many those of a conversation are.</summary>
    public Task TokenizeAsync(HttpContext http, Visit visit) =>
        QuickReply.AnswerAsync(server, errors, http, visit, async (body, model) =>
        {
            IReadOnlyList<int> tokens = await TokensAsync(body, model, visit.Scope, http.RequestAborted)
                .ConfigureAwait(false);
            var reply = new TokenizeReply(tokens, tokens.Count, model.ContextLength);
            await JsonReply.WriteAsync(http, reply, WireJson.Readable.TokenizeReply).ConfigureAwait(false);
        });

    private static Task<IReadOnlyList<int>> TokensAsync(
        WireValue body,
        ServedModel model,
        string? scope,
        CancellationToken aborted
    )
    {
        WireValue content = body["content"];
        if (body["messages"].IsAbsent)
        {
            string text = content.Needed("a text, or 'messages'").Text()!;
            GptOssTokenizer tokenizer = model.Tokenizer
                ?? throw content.NotOffered("cannot be counted: the client has no tokenizer.");
            return tokenizer.EncodeAsync(text, scope, aborted);
        }
        var tools = new AskedTools();
        ChatToolFields.Read(body["tools"], tools);
        IReadOnlyList<ChatMessage> messages = ChatHistory.Read(body["messages"]);
        GptOssChatClient client = model.Own
            ?? throw body["messages"].NotOffered("cannot be counted: the client is of another kind.");
        var options = new ChatOptions
        {
            Tools = [.. tools.All.Select(tool => tool.Declaration)],
            RawRepresentationFactory = _ => new GptOssRequestOptions { CacheScope = scope },
        };
        return client.EncodePromptAsync(messages, options, aborted);
    }

    private static ListedModel Listed(string id, ServedModel model) =>
        new()
        {
            Id = id,
            DisplayName = id.Replace("-oss-", "-oss ", StringComparison.Ordinal),
            Created = Released.ToUnixTimeSeconds(),
            CreatedAt = Released.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            MaxModelLen = model.ContextLength,
        };
}
