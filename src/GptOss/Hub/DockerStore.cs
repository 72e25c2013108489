using System.Text.RegularExpressions;
using GptOss.Checkpoint;

namespace GptOss.Hub;

/// <summary>
/// What Docker's Model Runner has pulled: <c>models.json</c> names manifests, and these the blob of the model.
/// </summary>
/// <remarks>Source: docker/model-runner, pkg/distribution/internal/store.</remarks>
internal sealed partial class DockerStore : FileStore
{
    private const string LayerOfModel = "application/vnd.docker.ai.gguf.v3",
        Namespace = "ai",
        Tag = "latest";

    private readonly string _root;

    public DockerStore(Surroundings surroundings) =>
        _root = surroundings.Folder("MODELS_PATH") ?? Path.Join(surroundings.Home, ".docker", "models");

    public override ModelStore Kind => ModelStore.Docker;

    public override string Title => "Docker";

    public override string Prefix => "docker:";

    public override IReadOnlyList<string> Roots => [_root];

    public override IEnumerable<string> Names()
    {
        try
        {
            return [.. Models().SelectMany(model => model.Tags)];
        }
        catch (CheckpointException)
        {
            return []; // a list of models that cannot be read has none for the others' list
        }
    }

    public override FoundModel? Find(string name)
    {
        string wanted = Full(name);
        foreach ((JsonFields model, string[] tags) in Models())
            if (tags.Contains(wanted, StringComparer.OrdinalIgnoreCase))
                return Open(wanted, Digest(model, "id"));
        return null;
    }

    public override IEnumerable<string> NamesOf(RepositoryName repository) =>
        Names().Where(name => Means(name, repository));

    public override string FetchCommand(string name) => $"docker model pull {name}";

    private FoundModel Open(string name, string id)
    {
        string path = Path.Join(_root, "manifests", "sha256", id);
        JsonFields[] layers =
        [
            .. JsonFields.Load(path).Objects("layers").Where(layer => layer.Text("mediaType") == LayerOfModel),
        ];
        if (layers is not [var layer])
            throw new CheckpointException(
                path,
                $"should have one layer of '{LayerOfModel}', but has {layers.Length}: {Prefix}{name} is not one GGUF."
            );
        string digest = Digest(layer, "digest");
        string blob = Path.Join(_root, "blobs", "sha256", digest);
        // The specification of the store has been both.
        if (!File.Exists(blob) && Path.Join(_root, "blobs", digest) is var flat && File.Exists(flat))
            blob = flat;
        if (!File.Exists(blob))
            throw new CheckpointException(
                blob,
                $"is not there, but {Prefix}{name} needs it. Run '{FetchCommand(name)}' again."
            );
        ModelLook look = ModelLook.AtFile(blob);
        return new FoundModel($"{Prefix}{name}", look.Path, Kind, look.Format, look.Bytes, digest);
    }

    private IEnumerable<(JsonFields Model, string[] Tags)> Models()
    {
        string list = Path.Join(_root, "models.json");
        return File.Exists(list)
            ?
            [
                .. (JsonFields.Load(list).OptionalObjects("models") ?? []).Select(model =>
                    (model, (model.OptionalTexts("tags") ?? []).Select(Full).ToArray())
                ),
            ]
            : [];
    }

    /// <summary>A name with all of its parts: <c>gpt-oss</c> is <c>ai/gpt-oss:latest</c>.</summary>
    private static string Full(string name)
    {
        foreach (string host in (string[])["index.docker.io/", "docker.io/"])
            if (name.StartsWith(host, StringComparison.Ordinal))
                name = name[host.Length..];
        string placed = name.Contains('/', StringComparison.Ordinal) ? name : $"{Namespace}/{name}";
        return placed.IndexOf(':', placed.LastIndexOf('/')) < 0 ? $"{placed}:{Tag}" : placed;
    }

    // Docker's own gpt-oss is in 20b where the tag says nothing else; other names are those of repositories.
    private static bool Means(string name, RepositoryName repository)
    {
        const string Own = "ai/gpt-oss:";
        int colon = name.LastIndexOf(':');
        string[] parts = name[..colon].Split('/');
        if (parts is [.., var owner, var own] && owner == repository.Owner && own == repository.Name)
            return true;
        if (!repository.IsPublished)
            return false;
        string size = repository.Name["gpt-oss-".Length..];
        return name.StartsWith(Own, StringComparison.Ordinal)
            ? name.AsSpan(Own.Length).StartsWith(size, StringComparison.OrdinalIgnoreCase)
                || name[Own.Length..] == Tag && size == "20b"
            : repository.IsSameModel(parts[^1]);
    }

    private static string Digest(JsonFields json, string field)
    {
        string digest = json.Text(field);
        return Sha256().Match(digest) is { Success: true } match
            ? match.Groups[1].Value
            : throw json.Wrong(field, "sha256: and 64 hexadecimal digits", JsonFields.Quoted(digest));
    }

    [GeneratedRegex("^sha256[:-]([0-9a-f]{64})$", RegexOptions.CultureInvariant)]
    private static partial Regex Sha256();
}
