using System.Text;
using GptOss.Hub;

namespace GptOss.Tests.Hub;

/// <summary>A user's home that is empty at first, with what the tools of others would put there.</summary>
internal sealed class Home : IDisposable
{
    public const string Commit = "6cee5e81ee83917806bbde320786a8fb61efebee";

    private readonly TemporaryFolder _folder = new();

    public string Path => _folder.Path;

    /// <summary>The variables of the environment, none at first.</summary>
    public Dictionary<string, string> Variables { get; } = [];

    public Surroundings Surroundings => new(name => Variables.GetValueOrDefault(name), Path);

    public Finder Finder => new(Surroundings);

    /// <summary>The beginning of a GGUF file: as much as finding it needs.</summary>
    public static byte[] Gguf(string architecture = "gpt-oss", string? type = null, int bytes = 200)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("GGUF"u8);
        writer.Write(3);
        writer.Write(0L);
        writer.Write(3L);
        Key("general.architecture", architecture);
        Text("general.size");
        writer.Write(4); // a number between the two, which must be read over
        writer.Write(20);
        if (type is not null)
            Key("general.type", type);
        writer.Write(new byte[Math.Max(0, bytes - (int)stream.Length)]);
        return stream.ToArray();

        void Key(string name, string value)
        {
            Text(name);
            writer.Write(8);
            Text(value);
        }

        void Text(string text)
        {
            writer.Write((long)text.Length);
            writer.Write(Encoding.ASCII.GetBytes(text));
        }
    }

    /// <summary>Writes a file below the home, with its folders; returns its path.</summary>
    public string Write(string path, byte[] content)
    {
        string full = System.IO.Path.Join(Path, path);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(full)!);
        File.WriteAllBytes(full, content);
        return full;
    }

    public string Write(string path, string content) => Write(path, Encoding.UTF8.GetBytes(content));

    /// <summary>A model as Ollama has it; returns the blob's path.</summary>
    public string Ollama(string manifest, byte[] model, string layer = "application/vnd.ollama.image.model")
    {
        string digest = Digest(model);
        Write(
            $".ollama/models/manifests/{manifest}",
            $$"""
            {"schemaVersion":2,"layers":[{"mediaType":"application/vnd.ollama.image.license","digest":"sha256:1"},
            {"mediaType":"{{layer}}","digest":"sha256:{{digest}}","size":{{model.Length}}}]}
            """
        );
        return Write($".ollama/models/blobs/sha256-{digest}", model);
    }

    /// <summary>A model as Docker has it; returns the blob's path.</summary>
    public string Docker(string tag, byte[] model)
    {
        string digest = Digest(model),
            id = new('a', 64);
        Write(".docker/models/models.json", $$"""{"models":[{"id":"sha256:{{id}}","tags":["{{tag}}"]}]}""");
        Write(
            $".docker/models/manifests/sha256/{id}",
            $$"""{"layers":[{"mediaType":"application/vnd.docker.ai.gguf.v3","digest":"sha256:{{digest}}"}]}"""
        );
        return Write($".docker/models/blobs/sha256/{digest}", model);
    }

    /// <summary>A file of a snapshot in Hugging Face's cache, whose ref is main; returns its path.</summary>
    public string HuggingFace(string repository, string file, byte[] content, string commit = Commit)
    {
        string folder = $".cache/huggingface/hub/models--{repository.Replace("/", "--", StringComparison.Ordinal)}";
        Write($"{folder}/refs/main", commit);
        return Write($"{folder}/snapshots/{commit}/{file}", content);
    }

    /// <summary>The tiny model as a snapshot of a repository; returns the folder.</summary>
    public string Snapshot(string repository)
    {
        foreach (string file in Directory.EnumerateFiles(TinyGptOss.Folder))
            HuggingFace(repository, System.IO.Path.GetFileName(file), File.ReadAllBytes(file));
        return System.IO.Path.GetDirectoryName(HuggingFace(repository, "README.md", [.. "a model"u8]))!;
    }

    public void Dispose() => _folder.Dispose();

    private static string Digest(byte[] content) =>
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content));
}
