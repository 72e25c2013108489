using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace GptOss.Tests.Hub;

/// <summary>
/// A hub with one repository, and beside it, at another port, the store of its large files: as Hugging Face answers,
/// but for the faults that a test puts in.
/// </summary>
internal sealed class FakeHub : IDisposable
{
    public const string Commit = "6cee5e81ee83917806bbde320786a8fb61efebee",
        Moved = "0123456789012345678901234567890123456789";

    private readonly RawServer _hub;
    private readonly RawServer _store;

    public FakeHub()
    {
        _hub = new RawServer(request => Logged(request, isStore: false));
        _store = new RawServer(request => Logged(request, isStore: true));
    }

    public Uri Address => _hub.Address;

    public Uri Store => _store.Address;

    public string Repository { get; set; } = "openai/gpt-oss-20b";

    /// <summary>The files by their paths; those in the hundreds of bytes and more are large ones.</summary>
    public Dictionary<string, byte[]> Files { get; } = [];

    /// <summary>How many files a page of the list has.</summary>
    public int PageSize { get; set; } = 1000;

    /// <summary>Asked before the usual answer; null answers as usual.</summary>
    public Func<RawRequest, RawReply?> AtHub { get; set; } = _ => null;

    /// <summary>Asked before the store's usual answer; null answers as usual.</summary>
    public Func<RawRequest, RawReply?> AtStore { get; set; } = _ => null;

    /// <summary>All requests, "HEAD /path", those to the store with a star in front.</summary>
    public ConcurrentQueue<(string Line, RawRequest Request)> Requests { get; } = new();

    public static string Hash(byte[] content) =>
        Convert.ToHexStringLower(
            IsLarge(content)
                ? SHA256.HashData(content)
                : CryptographicOperations.HashData(
                    HashAlgorithmName.SHA1,
                    (byte[])[.. Encoding.ASCII.GetBytes($"blob {content.Length}\0"), .. content]
                )
        );

    public static bool IsLarge(byte[] content) => content.Length >= 1000;

    /// <summary>Bytes that no other seed gives.</summary>
    public static byte[] Bytes(int count, int seed)
    {
        byte[] bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>A model in two shards with an index, and all that a repository has beside it.</summary>
    public void AddModel(int bytes = 200_000, int vocabulary = 201_088)
    {
        Add("config.json", $$"""{"model_type":"gpt_oss","vocab_size":{{vocabulary}}}""");
        Add("generation_config.json", """{"eos_token_id":[200002]}""");
        Add(
            "model.safetensors.index.json",
            """{"weight_map":{"a":"model-00000-of-00001.safetensors","b":"model-00001-of-00001.safetensors"}}"""
        );
        Files["model-00000-of-00001.safetensors"] = Bytes(bytes, 1);
        Files["model-00001-of-00001.safetensors"] = Bytes(bytes + 1, 2);
        Add("README.md", "# A model");
        Files["tokenizer.json"] = Bytes(5000, 3);
        Files["original/model.safetensors"] = Bytes(6000, 4);
        Files["metal/model.bin"] = Bytes(7000, 5);
    }

    public void Add(string path, string text) => Files[path] = Encoding.UTF8.GetBytes(text);

    public string[] Lines() => [.. Requests.Select(request => request.Line)];

    public void Dispose()
    {
        _hub.Dispose();
        _store.Dispose();
    }

    /// <summary>The usual answer of the store: the bytes, from where the request says.</summary>
    public RawReply StoreAnswer(RawRequest request)
    {
        byte[] content = Files[Uri.UnescapeDataString(request.Path[1..])];
        return request.From is not { } from ? new RawReply(200, content)
            : from >= content.Length ? new RawReply(416, [], ("Content-Range", $"bytes */{content.Length}"))
            : new RawReply(
                206,
                content[(int)from..],
                ("Content-Range", $"bytes {from}-{content.Length - 1}/{content.Length}")
            );
    }

    private RawReply Logged(RawRequest request, bool isStore)
    {
        Requests.Enqueue(($"{(isStore ? "* " : "")}{request.Method} {request.Target}", request));
        return isStore ? AtStore(request) ?? StoreAnswer(request) : AtHub(request) ?? HubAnswer(request);
    }

    private RawReply HubAnswer(RawRequest request)
    {
        string api = $"/api/models/{Repository}/";
        if (request.Path == api + "revision/main" || request.Path == $"{api}revision/{Commit}")
            return Json($$"""{"id":"{{Repository}}","sha":"{{Commit}}"}""");
        if (request.Path == $"{api}tree/{Commit}")
            return Tree(request);
        string resolve = $"/{Repository}/resolve/{Commit}/";
        if (request.Path.StartsWith(resolve, StringComparison.Ordinal))
            return Resolve(Uri.UnescapeDataString(request.Path[resolve.Length..]), request);
        return request.Path.StartsWith(api + "revision/", StringComparison.Ordinal)
            ? Json("""{"error":"Invalid rev id"}""", 404, ("X-Error-Code", "RevisionNotFound"))
            : Json("""{"error":"Repository not found"}""", 401, ("X-Error-Code", "RepoNotFound"));
    }

    private RawReply Resolve(string path, RawRequest request)
    {
        if (!Files.TryGetValue(path, out byte[]? content))
            return Json("", 404, ("X-Error-Code", "EntryNotFound"));
        (string, string) commit = ("X-Repo-Commit", Commit);
        if (!IsLarge(content))
            return new RawReply(200, content, commit, ("ETag", $"\"{Hash(content)}\""));
        string escaped = string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
        return new RawReply(
            302,
            [],
            commit,
            ("Location", $"{Store}{escaped}?signature=secret"),
            ("X-Linked-Etag", $"\"{Hash(content)}\""),
            ("X-Linked-Size", content.Length.ToString(CultureInfo.InvariantCulture)),
            ("ETag", "W/\"of-the-redirect\"")
        );
    }

    private RawReply Tree(RawRequest request)
    {
        int page = request.Target.Split("cursor=") is [_, var cursor]
            ? int.Parse(cursor, CultureInfo.InvariantCulture)
            : 0;
        string[] entries =
        [
            """{"type":"directory","path":"original","oid":"1","size":0}""",
            .. Files.Select(file => Entry(file.Key, file.Value)),
        ];
        string[] shown = [.. entries.Skip(page * PageSize).Take(PageSize)];
        RawReply reply = Json($"[{string.Join(',', shown)}]");
        return (page + 1) * PageSize >= entries.Length
            ? reply
            : reply with
            {
                Headers =
                [
                    .. reply.Headers,
                    ("Link", $"<{Address}{request.Path[1..]}?recursive=true&cursor={page + 1}>; rel=\"next\""),
                ],
            };
    }

    private static string Entry(string path, byte[] content)
    {
        string hash = Hash(content),
            begin = $"{{\"type\":\"file\",\"path\":\"{path}\",\"size\":{content.Length},\"oid\":\"",
            pointer = new('f', 40);
        return IsLarge(content)
            ? $"{begin}{pointer}\",\"lfs\":{{\"oid\":\"{hash}\",\"size\":{content.Length},\"pointerSize\":135}}}}"
            : $"{begin}{hash}\"}}";
    }

    private static RawReply Json(string text, int status = 200, params (string, string)[] headers) =>
        RawReply.Text(status, text, [("Content-Type", "application/json; charset=utf-8"), .. headers]);
}
