using System.Text.RegularExpressions;
using GptOss.Checkpoint;

namespace GptOss.Hub;

/// <summary>
/// What Ollama has pulled: <c>manifests/HOST/NAMESPACE/MODEL/TAG</c> names the blob of the model,
/// <c>blobs/sha256-X</c>.
/// </summary>
/// <remarks>Source: ollama/ollama, types/model/name.go and manifest/.</remarks>
internal sealed partial class OllamaStore : FileStore
{
    private const string Host = "registry.ollama.ai",
        Namespace = "library",
        Tag = "latest",
        LayerOfModel = "application/vnd.ollama.image.model";

    public OllamaStore(Surroundings surroundings) =>
        Roots = [
            surroundings.Folder("OLLAMA_MODELS") ?? Path.Join(surroundings.Home, ".ollama", "models"),
            // The service of Linux has a user of its own, whose home this is.
            .. OperatingSystem.IsLinux() ? new[] { "/usr/share/ollama/.ollama/models" } : [],
        ];

    public override ModelStore Kind => ModelStore.Ollama;

    public override string Title => "Ollama";

    public override string Prefix => "ollama:";

    public override IReadOnlyList<string> Roots { get; }

    public override IEnumerable<string> Names() =>
        from root in Roots
        let manifests = Path.Join(root, "manifests")
        from host in Folders(manifests)
        from space in Folders(Path.Join(manifests, host))
        from model in Folders(Path.Join(manifests, host, space))
        from tag in Files(Path.Join(manifests, host, space, model))
        let name = new Name(host, space, model, tag)
        where name.IsValid
        select name.ToString();

    public override FoundModel? Find(string name)
    {
        Name parsed = Name.Parse(name);
        if (!parsed.IsValid)
            return null;
        foreach (string root in Roots)
        {
            string manifest = Path.Join(root, "manifests", parsed.Path);
            if (File.Exists(manifest))
                return Open(parsed, root, manifest);
        }
        return null;
    }

    public override IEnumerable<string> NamesOf(RepositoryName repository) =>
        Names().Where(name => Means(Name.Parse(name), repository));

    public override string FetchCommand(string name) => $"ollama pull {name}";

    private FoundModel Open(Name name, string root, string manifest)
    {
        JsonFields[] layers = JsonFields.Load(manifest).Objects("layers");
        string[] types = [.. layers.Select(layer => layer.Text("mediaType"))];
        if (Array.Find(types, type => type.EndsWith(".image.tensor", StringComparison.Ordinal)) is { } tensors)
            throw new CheckpointException(
                manifest,
                $"names layers of '{tensors}', Ollama's own store of single tensors, which only Ollama reads. Pull a "
                    + "GGUF form of the model."
            );
        if (Array.Find(types, type => type.EndsWith(".image.adapter", StringComparison.Ordinal)) is { } adapter)
            throw new CheckpointException(
                manifest,
                $"has a layer of '{adapter}': an adapter that Ollama puts onto its base. It cannot be used here."
            );
        JsonFields[] models = [.. layers.Where(layer => layer.Text("mediaType") == LayerOfModel)];
        if (models is not [var model])
            throw new CheckpointException(
                manifest,
                $"should have one layer of '{LayerOfModel}', but has {models.Length} among {layers.Length}."
            );
        string digest = Digest(model);
        string blob = Path.Join(root, "blobs", $"sha256-{digest}");
        if (!File.Exists(blob))
            throw new CheckpointException(
                blob,
                $"is not there, but {Prefix}{name} needs it. Run '{FetchCommand(name.ToString())}' again."
            );
        ModelLook look = ModelLook.AtFile(blob);
        return new FoundModel($"{Prefix}{name}", look.Path, Kind, look.Format, look.Bytes, digest);
    }

    private static string Digest(JsonFields layer)
    {
        string digest = layer.Text("digest");
        return Sha256().Match(digest) is { Success: true } match
            ? match.Groups[1].Value
            : throw layer.Wrong("digest", "sha256: and 64 hexadecimal digits", JsonFields.Quoted(digest));
    }

    // Ollama calls gpt-oss-20b gpt-oss:20b, and latest is that, too. From Hugging Face it keeps owner and name.
    private static bool Means(Name name, RepositoryName repository)
    {
        const string Family = "gpt-oss";
        if (name.Space == repository.Owner && name.Model == repository.Name)
            return true;
        if (!repository.IsPublished)
            return false;
        string size = repository.Name[(Family.Length + 1)..];
        bool isTag = name.Tag == size || name.Tag.StartsWith(size + "-", StringComparison.Ordinal);
        return name.Model == Family && (isTag || name.Tag == Tag && size == "20b")
            || repository.IsSameModel(name.Model);
    }

    [GeneratedRegex("^sha256[:-]([0-9a-f]{64})$", RegexOptions.CultureInvariant)]
    private static partial Regex Sha256();

    /// <summary>The four parts of a name, which are also the path of its manifest.</summary>
    private readonly partial record struct Name(string Host, string Space, string Model, string Tag)
    {
        public string Path => System.IO.Path.Join(Host, Space, Model, Tag);

        /// <summary>Whether every part may become a part of a path.</summary>
        public bool IsValid =>
            HostPart().IsMatch(Host) && Part().IsMatch(Space) && Part().IsMatch(Model) && Part().IsMatch(Tag);

        /// <summary>Reads a name in the form <c>[[HOST/]NAMESPACE/]MODEL[:TAG]</c>.</summary>
        public static Name Parse(string text)
        {
            int slash = text.LastIndexOf('/');
            string last = text[(slash + 1)..];
            string[] places = slash < 0 ? [] : text[..slash].Split('/');
            int colon = last.IndexOf(':', StringComparison.Ordinal);
            return new Name(
                places.Length == 2 ? places[0] : OllamaStore.Host,
                places switch
                {
                    [] => Namespace,
                    [var space] => space,
                    [_, var space] => space,
                    _ => "",
                },
                colon < 0 ? last : last[..colon],
                colon < 0 ? OllamaStore.Tag : last[(colon + 1)..]
            );
        }

        public override string ToString() =>
            (
                Host != OllamaStore.Host ? $"{Host}/{Space}/"
                : Space != Namespace ? $"{Space}/"
                : ""
            ) + $"{Model}:{Tag}";

        [GeneratedRegex("^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}$", RegexOptions.CultureInvariant)]
        private static partial Regex HostPart();

        [GeneratedRegex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}$", RegexOptions.CultureInvariant)]
        private static partial Regex Part();
    }
}
