using GptOss.Checkpoint;

namespace GptOss.Hub;

/// <summary>A place where a tool keeps the files of models. It is read and never written here.</summary>
internal abstract class FileStore
{
    public abstract ModelStore Kind { get; }

    /// <summary>The tool's name, for messages.</summary>
    public abstract string Title { get; }

    /// <summary>What names of this store begin with, such as <c>ollama:</c>; empty where its names are paths.</summary>
    public abstract string Prefix { get; }

    /// <summary>The folders that are looked into, whether they are there or not.</summary>
    public abstract IReadOnlyList<string> Roots { get; }

    /// <summary>The names of all that lies there, without the prefix, be it a model or not.</summary>
    public abstract IEnumerable<string> Names();

    /// <summary>The model of a name without the prefix; null where the store has nothing of that name.</summary>
    /// <exception cref="CheckpointException">What is there is no model, or an incomplete one.</exception>
    public abstract FoundModel? Find(string name);

    /// <summary>Names in this store that mean the repository, the likeliest first.</summary>
    public abstract IEnumerable<string> NamesOf(RepositoryName repository);

    /// <summary>The command that fetches something into this store, for messages; null where there is none.</summary>
    public virtual string? FetchCommand(string name) => null;

    /// <summary>Folders below a folder by name, none where it cannot be read.</summary>
    protected static IEnumerable<string> Folders(string path) => Entries(path, Directory.EnumerateDirectories);

    /// <summary>Files of a folder by name, none where it cannot be read.</summary>
    protected static IEnumerable<string> Files(string path) => Entries(path, Directory.EnumerateFiles);

    private static IEnumerable<string> Entries(string path, Func<string, IEnumerable<string>> entries)
    {
        // A store has dozens of entries; a folder that somebody has pointed here by mistake may have millions.
        const int Most = 2000;
        try
        {
            return [.. entries(path).Take(Most).Select(entry => Path.GetFileName(entry)).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (RegularFile.IsFileTrouble(e))
        {
            return [];
        }
    }
}
