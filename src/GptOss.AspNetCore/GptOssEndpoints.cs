using GptOss.AspNetCore.Http;
using GptOss.AspNetCore.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace GptOss.AspNetCore;

/// <summary>The paths of the server.</summary>
public static class GptOssEndpoints
{
    private static readonly string[] Get = [HttpMethods.Get],
        Post = [HttpMethods.Post];

    /// <summary>
    /// Maps the API of the server: <c>/health</c>, and <c>/models</c>, <c>/chat/completions</c>,
    /// <c>/responses</c>, <c>/messages</c> and <c>/tokenize</c> with <c>/v1</c> before them and without.
    /// </summary>
    /// <remarks>
    /// The group takes conventions of the host, such as <c>RequireAuthorization()</c>, <c>RequireRateLimiting(...)</c>
    /// or <c>RequireCors(...)</c>.
    /// </remarks>
    /// <param name="endpoints">The routes of the host.</param>
    /// <param name="prefix">What stands before all paths, such as <c>/ai</c>; empty for nothing.</param>
    /// <returns>The group of all endpoints.</returns>
    /// <exception cref="InvalidOperationException"><see cref="GptOssServerServices.AddGptOssServer"/> was not
    /// called.</exception>
    /// <exception cref="ArgumentException">An option of the server is outside its range.</exception>
    public static RouteGroupBuilder MapGptOss(this IEndpointRouteBuilder endpoints, string prefix = "")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(prefix);
        ServerCore server = endpoints.ServiceProvider.GetService<ServerCore>()
            ?? throw new InvalidOperationException(
                $"The services lack the server: call {nameof(GptOssServerServices.AddGptOssServer)} before "
                    + $"{nameof(MapGptOss)}."
            );
        var chat = new ChatDialect();
        var door = new Door(server);
        var notices = new Notices(server, chat);
        RouteGroupBuilder group = endpoints.MapGroup(prefix);
        var paths = new PathTable(group, door, prefix);

        paths.Map("/health", chat, Get, notices.HealthAsync, isOpen: true);
        paths.MapBoth("/models", chat, Get, notices.ModelsAsync);
        paths.MapBoth("/models/{**id}", chat, Get, notices.ModelAsync);
        paths.MapBoth("/tokenize", chat, Post, notices.TokenizeAsync);
        paths.MapBoth("/chat/completions", chat, Post, (http, visit) => Exchange(chat, http, visit));
        MapResponses();
        MapMessages();
        paths.MapUnknown(chat, server.Options.AnswersEveryPath);
        return group;

        void MapResponses()
        {
            var responses = new ResponsesDialect(server.Store, server.Time);
            var stored = new StoredResponses(server.Store, responses);
            paths.MapBoth("/responses", responses, Post, (http, visit) => Exchange(responses, http, visit));
            paths.MapBoth("/responses/input_tokens", responses, Post, (http, visit) =>
                QuickReply.CountAsync(server, responses, http, visit, count =>
                    JsonReply.WriteAsync(http, new InputTokens(count), WireJson.Readable.InputTokens)
                )
            );
            paths.MapBoth("/responses/{id}", responses, [.. Get, HttpMethods.Delete], stored.AnswerAsync);
            paths.MapBoth("/responses/{id}/input_items", responses, Get, stored.ItemsAsync);
            paths.MapBoth("/responses/{id}/cancel", responses, Post, stored.CancelAsync);
        }

        void MapMessages()
        {
            var messages = new MessagesDialect();
            paths.MapBoth("/messages", messages, Post, (http, visit) => Exchange(messages, http, visit));
            paths.MapBoth("/messages/count_tokens", messages, Post, (http, visit) =>
                QuickReply.CountAsync(server, messages, http, visit, count =>
                    JsonReply.WriteAsync(http, new MessageTokens(count), WireJson.Readable.MessageTokens)
                )
            );
            paths.MapUnknownBelow("/messages", messages);
        }

        Task Exchange(Dialect dialect, HttpContext http, Visit visit) =>
            new Exchange(server, dialect, http, visit).RunAsync();
    }

    /// <summary>
    /// Puts other endpoints of the host, such as those of metrics, behind the server's door: its keys and its check of
    /// the page that asks. Their requests are lines of its log, too.
    /// </summary>
    /// <param name="endpoints">The endpoints of the host.</param>
    /// <returns>The same endpoints, for further calls.</returns>
    public static TBuilder RequireGptOssKey<TBuilder>(this TBuilder endpoints)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        endpoints.Add(endpoint =>
        {
            if (endpoint.RequestDelegate is not { } answer)
                return;
            var door = new Door(endpoint.ApplicationServices.GetRequiredService<ServerCore>());
            endpoint.RequestDelegate = door.Guard(new ChatDialect(), methods: [], isOpen: false, (http, _) =>
                answer(http)
            );
        });
        return endpoints;
    }
}
