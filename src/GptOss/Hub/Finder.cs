using GptOss.Checkpoint;

namespace GptOss.Hub;

/// <summary>From the name of a model to its files: the one grammar of all commands and of the library.</summary>
/// <param name="surroundings">Say where the stores lie.</param>
internal sealed class Finder(Surroundings surroundings)
{
    // More names would hide the end of the message.
    private const int MostNames = 8;

    /// <summary>All stores, in the order in which a bare name is looked up.</summary>
    public IReadOnlyList<FileStore> Stores { get; } =
    [
        new HuggingFaceStore(surroundings),
        new OllamaStore(surroundings),
        new LmStudioStore(surroundings),
        new DockerStore(surroundings),
        new LlamaCppStore(surroundings),
    ];

    /// <exception cref="CheckpointException">There is no such model, or it is something else.</exception>
    public FoundModel Find(string name)
    {
        try
        {
            return FindIn(name);
        }
        catch (Exception e) when (RegularFile.IsFileTrouble(e))
        {
            throw RegularFile.Unreadable(name, e);
        }
    }

    /// <summary>All models that are whole, store by store.</summary>
    public IReadOnlyList<FoundModel> List() =>
        [
            .. Stores
                .SelectMany(store => store.Names().Select(name => TryFind(store, name)))
                .OfType<FoundModel>()
                .DistinctBy(model => model.Name),
        ];

    private FoundModel FindIn(string name)
    {
        if (FilesInMemory.FolderExists(name) || Path.Exists(name))
        {
            ModelLook look = ModelLook.At(name);
            string path = Path.GetFullPath(look.Path);
            return new FoundModel(name, path, ModelStore.Path, look.Format, look.Bytes, Revision: null);
        }
        if (Stores.FirstOrDefault(store => HasPrefix(name, store)) is { } one)
            return one.Find(name[one.Prefix.Length..])
                ?? throw NotThere(name, [one], one.FetchCommand(name[one.Prefix.Length..]));
        if (LooksLikePath(name))
            throw FolderLook.NoFolder(name);
        return RepositoryName.TryParse(name, out RepositoryName repository)
            ? OfRepository(name, repository)
            : throw NotThere(name, Stores, fetch: null);
    }

    private FoundModel OfRepository(string name, RepositoryName repository)
    {
        CheckpointException? problem = null;
        foreach (FileStore store in Stores)
        foreach (string candidate in store.NamesOf(repository))
        {
            try
            {
                if (store.Find(candidate) is { } model)
                    return model;
            }
            catch (CheckpointException e)
            {
                problem ??= e; // told if no other store has the model whole
            }
        }
        throw problem ?? NotThere(name, Stores, $"gptoss pull {repository.Short}");
    }

    private static FoundModel? TryFind(FileStore store, string name)
    {
        try
        {
            return store.Find(name);
        }
        catch (Exception e) when (e is CheckpointException || RegularFile.IsFileTrouble(e))
        {
            return null;
        }
    }

    private CheckpointException NotThere(string name, IReadOnlyList<FileStore> stores, string? fetch)
    {
        string[] roots =
        [
            .. stores.Select(store =>
                $"{store.Title} ({string.Join(", ", store.Roots.Select(root => Printable.Path(root)))})"
            ),
        ];
        IReadOnlyList<FoundModel> models = List();
        string[] names = [.. models.Select(model => $"'{Printable.Name(model.Name)}'")];
        string there =
            names.Length == 0 ? "No model is in any store."
            : names.Length <= MostNames ? $"There is {string.Join(", ", names)}."
            : $"There is {string.Join(", ", names[..MostNames])} and {names.Length - MostNames} more: 'gptoss list'.";
        string[] meant = Meant(name, models);
        if (meant.Length > 0)
            return new CheckpointException(
                name,
                $"is no file or folder, and no model's name. Did you mean {string.Join(" or ", meant)}? {there}"
            );
        string way = fetch is not null
            ? $"'{Printable.Name(fetch)}' fetches it."
            : $"A name is {RepositoryName.Form}, or begins with the store: hf:, ollama:, lmstudio:, docker:.";
        return new CheckpointException(
            name,
            $"is no file or folder, and not in {string.Join(", ", roots)}. {there} {way}"
        );
    }

    /// <summary>Names that are like this one: of a model that is here, else of one that OpenAI published.</summary>
    private static string[] Meant(string name, IReadOnlyList<FoundModel> models)
    {
        string[] here =
        [
            .. models
                .Where(model => model.Name.EndsWith($":{name}", StringComparison.OrdinalIgnoreCase))
                .Select(model => model.Name),
        ];
        return here.Length > 0 ? here
            : RepositoryName.TryParse(name, out RepositoryName own) && own.IsPublished ? []
            : [.. RepositoryName.Meant(name)];
    }

    private static bool HasPrefix(string name, FileStore store) =>
        store.Prefix.Length > 0 && name.StartsWith(store.Prefix, StringComparison.OrdinalIgnoreCase);

    private static bool LooksLikePath(string name) =>
        name[0] is '.' or '/' or '~'
        || name.Contains('\\', StringComparison.Ordinal)
        || Path.IsPathFullyQualified(name)
        || name.EndsWith('/')
        || name.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase);
}
