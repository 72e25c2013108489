using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Headers;
using Microsoft.Net.Http.Headers;

namespace GptOss.AspNetCore.Http;

/// <summary>A file of the chat page, as it lies in the assembly.</summary>
internal sealed class PageFile
{
    private const string Start = "index.html",
        Sandbox = "sandbox.html",
        Folder = "page/";

    // The page runs its own modules, shows its own style and asks its own server; nothing else may happen in it.
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        + "frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    // What a model wrote runs here: in a worker of an origin of its own, without a network.
    private const string SandboxPolicy =
        "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; worker-src blob:; "
        + "frame-ancestors 'self'";

    private readonly byte[] _content;
    private readonly string _type;
    private readonly string _policy;
    private readonly EntityTagHeaderValue _tag;

    private PageFile(string name)
    {
        using Stream resource = typeof(PageFile).Assembly.GetManifestResourceStream(Folder + name)!;
        _content = new byte[resource.Length];
        resource.ReadExactly(_content);
        Path = name == Start ? "/" : $"/{Folder}{name}";
        _type = System.IO.Path.GetExtension(name) switch
        {
            ".html" => "text/html; charset=utf-8",
            ".css" => "text/css; charset=utf-8",
            _ => "text/javascript; charset=utf-8",
        };
        _policy = name == Sandbox ? SandboxPolicy : Policy;
        _tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(_content), 0, 32)}\"");
    }

    /// <summary>All files of the page.</summary>
    public static IReadOnlyList<PageFile> All { get; } =
    [
        .. typeof(PageFile)
            .Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Folder, StringComparison.Ordinal))
            .Select(name => new PageFile(name[Folder.Length..])),
    ];

    /// <summary>Where the file is, behind the prefix of the page.</summary>
    public string Path { get; }

    /// <summary>Sends the file, or only that it is still the one that the browser has.</summary>
    public async Task AnswerAsync(HttpContext http, Visit visit)
    {
        if (Path == "/" && http.Request.Path.Value?.EndsWith('/') == false)
        {
            // The page's own paths are relative, so that it works below any prefix: they need the slash.
            http.Response.Redirect($"{http.Request.PathBase}{http.Request.Path}/", permanent: false);
            return;
        }
        IHeaderDictionary headers = http.Response.Headers;
        headers.ContentSecurityPolicy = _policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.CacheControl = "no-cache";
        headers.ETag = _tag.ToString();
        if (IsKnownTo(http.Request.GetTypedHeaders()))
        {
            http.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }
        http.Response.ContentType = _type;
        http.Response.ContentLength = _content.Length;
        if (!HttpMethods.IsHead(http.Request.Method))
            await http.Response.Body.WriteAsync(_content, http.RequestAborted).ConfigureAwait(false);
    }

    private bool IsKnownTo(RequestHeaders headers) =>
        headers.IfNoneMatch.Any(tag => tag.Equals(EntityTagHeaderValue.Any) || tag.Compare(_tag, false));
}
