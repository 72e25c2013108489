using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using System.Text.Unicode;

namespace GptOss.Checkpoint.Gguf;

/// <summary>A model in GGUF: one file, or the files of a split set, opened by any of them.</summary>
/// <remarks>
/// Opening reads heads only. The keys are those of the first file, whose name ends in <c>-00001-of-</c> and the number
/// of files. What the tensors mean is not known here.
/// </remarks>
internal sealed partial class GgufCheckpoint : ICheckpoint
{
    private const int MostFiles = 1000;

    private readonly GgufFile[] _files;
    private readonly Dictionary<string, Tensor> _tensors;

    private GgufCheckpoint(GgufFile[] files)
    {
        _files = files;
        _tensors = Collect(files);
    }

    /// <summary>The file; of a split set the first one.</summary>
    public string Path => _files[0].Path;

    /// <summary>
    /// The model's name: the file's. A store that names files by their digests says nothing by that: there it is the
    /// name in the file, if it has one.
    /// </summary>
    public string Name =>
        Digest().IsMatch(ModelName(Path))
        && Keys[GgufKeys.Name] is { Type: GgufType.String, Text: { Length: > 0 } text }
        && Utf8.IsValid(text)
            ? Printable.Name(Encoding.UTF8.GetString(text))
            : ModelName(Path);

    public GgufKeys Keys => _files[0].Keys;

    /// <summary>The file that holds the keys.</summary>
    public GgufFile First => _files[0];

    public IEnumerable<WeightFile> Files =>
        _files.Select(file => new WeightFile(System.IO.Path.GetFileName(file.Path), file.Length, file.Tensors.Count));

    public IEnumerable<Tensor> Tensors => _files.SelectMany(file => file.Tensors);

    public IReadOnlyCollection<string> Names => _tensors.Keys;

    public string? Quantiser => null;

    /// <summary>
    /// The name of the model that a file has, without its ending and without the part of a split set.
    /// </summary>
    public static string ModelName(string path)
    {
        string name = System.IO.Path.GetFileName(path);
        return SplitName().Match(name) is { Success: true } part ? part.Groups["start"].Value
            : name.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) ? name[..^".gguf".Length]
            : name;
    }

    /// <summary>What the names of the files of one set share, and no other file of the folder has.</summary>
    public static string SetName(string path)
    {
        string name = System.IO.Path.GetFileName(path);
        return SplitName().Match(name) is { Success: true } part
            ? $"{part.Groups["start"].Value}-of-{part.Groups["count"].Value}"
            : name;
    }

    /// <summary>Opens a file and, if it is one of a split set, its neighbours, and checks all of their heads.</summary>
    /// <param name="path">The file, or any of a split set.</param>
    /// <param name="copies">Whether the files are not mapped, but read by <see cref="Fill"/>.</param>
    /// <exception cref="CheckpointException">A file is missing or damaged, or is none of the set.</exception>
    public static GgufCheckpoint Open(string path, bool copies = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var opened = new List<GgufFile>();
        try
        {
            var file = GgufFile.Open(path, copies: copies);
            opened.Add(file);
            // A set that llama.cpp has merged into one file keeps its keys, with a count of 0.
            int count = file.Keys.OptionalInt32(GgufKeys.SplitCount, 0, MostFiles) ?? 1;
            var checkpoint = new GgufCheckpoint(count > 1 ? OpenSet(file, count, opened, copies) : [file]);
            if (checkpoint._tensors.Count == 0)
                throw new CheckpointException(path, "holds no tensors.");
            checkpoint.RefuseType4OfOthers();
            return checkpoint;
        }
        catch
        {
            opened.ForEach(file => file.Dispose());
            throw;
        }
    }

    public bool TryGet(string name, [MaybeNullWhen(false)] out Tensor tensor) => _tensors.TryGetValue(name, out tensor);

    // A file may write trailing dimensions of 1 or leave them out; they are the leading ones of a shape here.
    public bool HasShape(Tensor tensor, ReadOnlySpan<long> shape) =>
        tensor.Shape.TrimStart(1).SequenceEqual(shape.TrimStart(1));

    public CheckpointException Missing(string name) =>
        new(
            Path,
            $"is not in the {(_files.Length == 1 ? "file, which holds" : $"{_files.Length} files, which hold")} "
                + $"{_tensors.Count} others, such as '{Printable.Name(_tensors.Keys.First())}'. It is a file of "
                + "another model, or its converter left the tensor out.",
            name
        );

    public CheckpointException WrongConfig(string field, string expected, string found, string hint) =>
        Keys.Wrong(field, expected, found, hint);

    // Bound: reads nothing; MappedFile.MapPart maps the bytes, and Holds has found their file.
    public unsafe ILastReading ReadLast(byte* data, long bytes)
    {
        foreach (GgufFile file in _files)
            if (file.Holds(data))
                return file.MapAgain(data, bytes);
        throw new ArgumentException("The bytes are of no file of this model.", nameof(data));
    }

    public void Fill(CopyProgress progress)
    {
        foreach (GgufFile file in _files)
            file.Fill(progress);
    }

    public void ThrowIfChanged()
    {
        foreach (GgufFile file in _files)
            file.ThrowIfChanged();
    }

    public void Dispose()
    {
        foreach (GgufFile file in _files)
            file.Dispose();
    }

    // The other files of a set have the names of the one that was opened, with other numbers. Whoever calls this closes
    // what was opened if the set is none.
    private static GgufFile[] OpenSet(GgufFile one, int count, List<GgufFile> opened, bool copies)
    {
        string folder = System.IO.Path.GetDirectoryName(one.Path) ?? "",
            name = System.IO.Path.GetFileName(one.Path);
        Match match = SplitName().Match(name);
        if (!match.Success)
            throw one.Keys.Wrong(
                GgufKeys.SplitCount,
                $"a name that ends in -00001-of-{count:D5}.gguf or another number, since the file is one of {count}",
                $"'{Printable.Name(name)}'",
                "Give the files the names back that they were published with."
            );
        var files = new GgufFile[count];
        for (int i = 0; i < count; i++)
        {
            string path = System.IO.Path.Join(
                folder,
                $"{match.Groups["start"].Value}-{i + 1:D5}-of-{count:D5}{match.Groups["end"].Value}"
            );
            if (path == one.Path)
                files[i] = one;
            else
                opened.Add(files[i] = GgufFile.Open(path, " Is the download complete?", copies));
            RequireKey(files[i], GgufKeys.SplitCount, count);
            RequireKey(files[i], GgufKeys.SplitNumber, i);
        }
        if (!files.Contains(one))
            throw one.Keys.Wrong(
                GgufKeys.SplitCount,
                $"{int.Parse(match.Groups["count"].Value, CultureInfo.InvariantCulture)} as its name says",
                $"{count}"
            );
        int tensors = files.Sum(file => file.Tensors.Count);
        foreach (GgufFile file in files.Where((file, i) => i == 0 || file.Keys.Has(GgufKeys.SplitTensors)))
            RequireKey(file, GgufKeys.SplitTensors, tensors);
        return files;
    }

    private static void RequireKey(GgufFile file, string key, int expected)
    {
        int found = file.Keys.Int32(key, 0, int.MaxValue);
        if (found != expected)
            throw file.Keys.Wrong(
                key,
                $"{expected}, as the files of the set say together",
                $"{found}",
                "Files of two downloads lie in the folder, or one was renamed: download them again."
            );
    }

    private static Dictionary<string, Tensor> Collect(GgufFile[] files)
    {
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (Tensor tensor in files.SelectMany(file => file.Tensors))
            if (!tensors.TryAdd(tensor.Name, tensor))
            {
                string other = System.IO.Path.GetFileName(tensors[tensor.Name].File);
                throw new CheckpointException(
                    tensor.File,
                    $"is there twice, also in '{Printable.Name(other)}'.",
                    tensor.Name
                );
            }
        return tensors;
    }

    // The number 4 was another type in ggml's early days. In Ollama's files of the architecture gptoss it is MXFP4.
    private void RefuseType4OfOthers()
    {
        foreach (Tensor tensor in Tensors.Where(tensor => tensor.DType == DType.Mxfp4Type4))
            if (Keys.OptionalText(GgufKeys.Architecture) is not "gptoss")
                throw new CheckpointException(
                    tensor.File,
                    "is of type 4, which only Ollama's files of the architecture 'gptoss' may have.",
                    tensor.Name
                );
    }

    [GeneratedRegex("^sha256[-:][0-9a-f]{64}$")]
    private static partial Regex Digest();

    [GeneratedRegex(
        @"^(?<start>.+)-(?<number>[0-9]{5})-of-(?<count>[0-9]{5})(?<end>\.(?i:gguf))$",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex SplitName();
}
