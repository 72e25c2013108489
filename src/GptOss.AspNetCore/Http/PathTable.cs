using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace GptOss.AspNetCore.Http;

/// <summary>Maps paths behind the door, and remembers them for whoever asks for another one.</summary>
/// <param name="group">The routes that the paths are added to.</param>
/// <param name="door">What every request passes.</param>
/// <param name="prefix">What stands before all paths.</param>
internal sealed class PathTable(RouteGroupBuilder group, Door door, string prefix)
{
    private const string Version = "/v1";

    private readonly List<string> _paths = [];

    /// <summary>Maps a path for all methods: those that it is not there for are told so.</summary>
    public void Map(
        string path,
        Dialect dialect,
        IReadOnlyList<string> methods,
        Func<HttpContext, Visit, Task> handle,
        bool isOpen = false
    )
    {
        _paths.Add($"{string.Join('/', methods)} {prefix}{path.Replace("**", "", StringComparison.Ordinal)}");
        group.Map(path, door.Guard(dialect, methods, isOpen, handle));
    }

    /// <summary>Maps a path with <c>/v1</c> before it and without: people give either as the base of the API.</summary>
    public void MapBoth(
        string path,
        Dialect dialect,
        IReadOnlyList<string> methods,
        Func<HttpContext, Visit, Task> handle
    )
    {
        group.Map(path, door.Guard(dialect, methods, isOpen: false, handle));
        Map(Version + path, dialect, methods, handle);
    }

    /// <summary>Answers what is not there below a path that is, with <c>/v1</c> before it and without.</summary>
    /// <param name="path">The path that is there; those below it are mapped already.</param>
    /// <param name="errors">The dialect whose form errors have.</param>
    public void MapUnknownBelow(string path, Dialect errors)
    {
        foreach (string version in (string[])["", Version])
            group.MapFallback($"{version}{path}/{{**path}}", Unknown(errors));
    }

    /// <summary>Answers the paths that are not there.</summary>
    /// <param name="errors">The dialect whose form errors have.</param>
    /// <param name="takesAll">Whether also those outside of the API's own folders are answered.</param>
    public void MapUnknown(Dialect errors, bool takesAll)
    {
        RequestDelegate answer = Unknown(errors);
        foreach (string folder in (string[])(takesAll || prefix.Length > 0 ? [""] : [Version, "/api"]))
            group.MapFallback(folder + "/{**path}", answer);
    }

    private RequestDelegate Unknown(Dialect errors) =>
        door.Guard(errors, methods: [], isOpen: true, new UnknownPaths(errors, _paths).AnswerAsync);
}
