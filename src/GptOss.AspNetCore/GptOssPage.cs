using GptOss.AspNetCore.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace GptOss.AspNetCore;

/// <summary>The chat page of the server.</summary>
public static class GptOssPage
{
    /// <summary>
    /// Maps a page to talk with the model in a browser: <c>/</c>, and what it consists of below <c>/page</c>.
    /// </summary>
    /// <remarks>
    /// The page asks the API below the same prefix, as <see cref="GptOssEndpoints.MapGptOss"/> maps it, and asks its
    /// reader for a key where the server needs one. Everybody may read the page itself. It keeps conversations in the
    /// browser, loads nothing from elsewhere, and its policy of contents (CSP) holds it to that.
    /// </remarks>
    /// <param name="endpoints">The routes of the host.</param>
    /// <param name="prefix">What stands before all paths, such as <c>/ai</c>; empty for nothing.</param>
    /// <returns>The group of the page's paths, for conventions of the host.</returns>
    /// <exception cref="InvalidOperationException"><see cref="GptOssServerServices.AddGptOssServer"/> was not
    /// called.</exception>
    public static RouteGroupBuilder MapGptOssPage(this IEndpointRouteBuilder endpoints, string prefix = "")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(prefix);
        var door = new Door(GptOssServerServices.ServerOf(endpoints.ServiceProvider, nameof(MapGptOssPage)));
        RouteGroupBuilder group = endpoints.MapGroup(prefix);
        foreach (PageFile file in PageFile.All)
            // A page that is opened asks for a dozen files: at the level of requests they would bury the questions.
            group.Map(
                file.Path,
                door.Guard(new ChatDialect(), [HttpMethods.Get], isOpen: true, file.AnswerAsync, LogLevel.Debug)
            );
        return group;
    }
}
