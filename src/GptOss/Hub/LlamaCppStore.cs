namespace GptOss.Hub;

/// <summary>
/// What llama.cpp has downloaded by <c>-hf</c>: files named <c>OWNER_NAME_FILE.gguf</c> in one folder. Newer versions
/// use Hugging Face's cache.
/// </summary>
/// <remarks>Source: ggml-org/llama.cpp, fs_get_cache_directory in common/common.cpp.</remarks>
internal sealed class LlamaCppStore(Surroundings surroundings) : FileStore
{
    private readonly string _root = surroundings.Folder("LLAMA_CACHE")
        ?? (
            OperatingSystem.IsMacOS()
                ? Path.Join(surroundings.Home, "Library", "Caches", "llama.cpp")
                : Path.Join(surroundings.Cache, "llama.cpp")
        );

    public override ModelStore Kind => ModelStore.LlamaCpp;

    public override string Title => "llama.cpp";

    /// <summary>None: the name of a file is its path, by which everything finds it.</summary>
    public override string Prefix => "";

    public override IReadOnlyList<string> Roots => [_root];

    public override IEnumerable<string> Names() => GgufSet.In(_root, isNested: false).Select(set => set.Path);

    public override FoundModel? Find(string name)
    {
        if (!Path.IsPathFullyQualified(name) || !File.Exists(name))
            return null;
        ModelLook look = ModelLook.AtFile(name);
        return new FoundModel(look.Path, look.Path, Kind, look.Format, look.Bytes, Revision: null);
    }

    public override IEnumerable<string> NamesOf(RepositoryName repository) =>
        Names().Where(path => Means(Path.GetFileName(path), repository));

    private static bool Means(string file, RepositoryName repository) =>
        file.StartsWith($"{repository.Owner}_{repository.Name}_", StringComparison.OrdinalIgnoreCase)
        || repository.IsPublished && file.Split('_').Any(repository.IsSameModel)
        || repository.IsPublished && file.StartsWith(repository.Name, StringComparison.OrdinalIgnoreCase);
}
