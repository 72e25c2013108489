using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using GptOss.Tests.Checkpoint.Gguf;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.OddFolders;

/// <summary>A copy of a sound model on disk, with ways to change it.</summary>
internal sealed class OddFolder
{
    private const string Mark = "@place@";

    private readonly List<IDisposable> _open = [];
    private string _folder;

    /// <param name="place">A folder that is empty, for the model and for what lies beside it.</param>
    /// <param name="sound">The model that is copied.</param>
    public OddFolder(string place, OddBase sound)
    {
        (Place, Base) = (place, sound);
        _folder = Model = Path.Join(place, "model");
        Write(_folder, sound.Files);
        Directory.CreateDirectory(Outside);
        if (sound == OddBase.Gguf)
            Model = At(sound.Weights);
        if (sound == OddBase.Adapter)
            Write(Adapter = Path.Join(place, "adapter"), OddBase.AdapterFiles);
    }

    public OddBase Base { get; }

    public string Place { get; }

    /// <summary>What <c>--model</c> is given.</summary>
    public string Model { get; set; }

    /// <summary>What <c>--adapter</c> is given; null for nothing.</summary>
    public string? Adapter { get; set; }

    /// <summary>A folder beside the model of which no file may be opened.</summary>
    public string Outside => Path.Join(Place, "outside");

    /// <summary>The path of a file of the model.</summary>
    public string At(string name) => Path.Join(_folder, name);

    /// <summary>The path of a file of the adapter.</summary>
    public string InAdapter(string name) => Path.Join(Adapter, name);

    public void Write(string name, string text) => Write(name, Encoding.UTF8.GetBytes(text));

    /// <summary>Writes a file of the model, whose folders are made.</summary>
    public void Write(string name, byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        File.WriteAllBytes(At(name), bytes);
    }

    public void Delete(string name) => File.Delete(At(name));

    public void Rename(string name, string other) => File.Move(At(name), At(other));

    /// <summary>Moves the whole model to another place, which is opened.</summary>
    public void MoveTo(string folder)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(folder)!);
        Directory.Move(_folder, folder);
        Model = _folder = folder;
    }

    /// <summary>Moves a file out of the folder and puts a link in its place.</summary>
    /// <param name="name">The file.</param>
    /// <param name="to">The folder that it is moved to.</param>
    /// <param name="target">What the link says.</param>
    public void Link(string name, string to, string target)
    {
        Directory.CreateDirectory(to);
        File.Move(At(name), Path.Join(to, name));
        File.CreateSymbolicLink(At(name), target);
    }

    /// <summary>Puts a link in the place of a file.</summary>
    public void Link(string name, string target)
    {
        File.Delete(At(name));
        File.CreateSymbolicLink(At(name), target);
    }

    /// <summary>Keeps something open until the case is over.</summary>
    public void Keep(IDisposable open) => _open.Add(open);

    public void Close() => _open.ForEach(open => open.Dispose());

    /// <summary>Sets a field of a JSON file, whose name has dots between its parts, to a value as text.</summary>
    public void Set(string file, string field, string value) => Set(file, field.Split('.'), value);

    public void Set(string file, string[] field, string value) => Text(file, json => WithField(json, field, value));

    public void Remove(string file, params string[] field) => Text(file, json => WithField(json, field, null));

    public void Text(string file, Func<string, string> change) =>
        File.WriteAllText(Rooted(file), change(File.ReadAllText(Rooted(file))));

    /// <summary>Changes the bytes of the usual file of weights.</summary>
    public void Bytes(Func<byte[], byte[]> change) => Bytes(Base.Weights, change);

    public void Bytes(string file, Func<byte[], byte[]> change) =>
        File.WriteAllBytes(Rooted(file), change(File.ReadAllBytes(Rooted(file))));

    /// <summary>Changes the header of the usual file of weights, as text; its length is written anew.</summary>
    public void Header(Func<string, string> change) =>
        HeaderBytes(header => Encoding.UTF8.GetBytes(change(Encoding.UTF8.GetString(header))));

    public void HeaderBytes(Func<byte[], byte[]> change) =>
        Bytes(file =>
        {
            int end = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(file);
            byte[] header = change(file[8..end]);
            return [.. BitConverter.GetBytes((long)header.Length), .. header, .. file[end..]];
        });

    /// <summary>Writes another length of the header over the true one.</summary>
    public void HeaderLength(Func<ulong, ulong> length) =>
        Bytes(file => [.. BitConverter.GetBytes(length(BinaryPrimitives.ReadUInt64LittleEndian(file))), .. file[8..]]);

    /// <summary>Sets a field of the usual tensor's entry to a value as text; null removes it.</summary>
    public void Entry(string field, string? value) => Header(json => WithField(json, [Base.Norm, field], value));

    /// <summary>Writes a file of weights anew, with other tensors.</summary>
    public void Tensors(Action<Dictionary<string, TinyTensor>> change) => Tensors(At(Base.Weights), change);

    /// <summary>Writes the adapter's weights anew, with other tensors.</summary>
    public void AdapterTensors(Action<Dictionary<string, TinyTensor>> change) =>
        Tensors(InAdapter(OddAdapter.Weights), change);

    /// <summary>Changes the GGUF file field by field.</summary>
    public void Gguf(Action<GgufParts> change)
    {
        var parts = GgufParts.Read(At(Base.Weights));
        change(parts);
        File.WriteAllBytes(At(Base.Weights), parts.Bytes());
    }

    /// <summary>JSON with a field that has this text as its value, whatever the text is; null removes it.</summary>
    public static string WithField(string json, string[] field, string? value)
    {
        JsonNode root = JsonNode.Parse(json)!;
        JsonNode parent = root;
        foreach (string name in field[..^1])
            parent = parent is JsonArray list ? list[int.Parse(name, null)]! : parent[name]!;
        if (parent is JsonArray items)
            items[int.Parse(field[^1], null)] = Mark;
        else if (value is null)
            Assert.True(parent.AsObject().Remove(field[^1]), $"there is no {field[^1]}");
        else
            parent[field[^1]] = Mark;
        return root.ToJsonString().Replace($"\"{Mark}\"", value, StringComparison.Ordinal);
    }

    private static void Tensors(string path, Action<Dictionary<string, TinyTensor>> change)
    {
        Dictionary<string, TinyTensor> tensors = SafetensorsReader.Read(path);
        change(tensors);
        SafetensorsWriter.Write(path, [.. tensors]);
    }

    private static void Write(string folder, IReadOnlyDictionary<string, byte[]> files)
    {
        Directory.CreateDirectory(folder);
        foreach ((string name, byte[] bytes) in files)
            File.WriteAllBytes(Path.Join(folder, name), bytes);
    }

    private string Rooted(string file) => Path.IsPathRooted(file) ? file : At(file);
}
