using GptOss.Checkpoint;
using GptOss.Checkpoint.Gguf;
using GptOss.Checkpoint.Safetensors;
using GptOss.Model;

namespace GptOss.Adapter;

/// <summary>
/// An opened LoRA adapter: adapter_config.json and, memory-mapped, adapter_model.safetensors. It adds a delta to
/// matrices of the base and replaces whole tensors of it.
/// </summary>
// Bound: reads no bytes by itself; tensors lie within their file, as SafetensorsHeader.Parse has checked.
internal sealed unsafe class AdapterFolder : IAdapter
{
    private const string WeightsName = "adapter_model.safetensors",
        PickleName = "adapter_model.bin";

    private readonly SafetensorsFile _file;
    private readonly LoraForms _forms;
    private readonly SavedModules _saved;
    private readonly DeltaMemory _memory = new();

    private AdapterFolder(SafetensorsFile file, AdapterConfig config, ModelConfig model)
    {
        _file = file;
        var tensors = new AdapterTensors(file);
        _forms = new LoraForms(tensors.Pairs, model, config);
        _saved = new SavedModules(tensors.Whole, model, config);
    }

    public IReadOnlyList<string> Notes => _forms.Notes;

    public long DeltaBytes => _memory.Bytes;

    /// <summary>Opens an adapter and checks all of it but the values against the base.</summary>
    /// <param name="path">The folder, or a repository's folder in a cache of Hugging Face.</param>
    /// <param name="model">The sizes of the base.</param>
    /// <param name="copies">Whether the file is not mapped, but read into memory.</param>
    /// <exception cref="CheckpointException">It is no adapter, damaged, of a kind that is not read, or of another
    /// base.</exception>
    public static AdapterFolder Open(string path, ModelConfig model, bool copies = false)
    {
        path = Path.GetFullPath(path);
        try
        {
            if (!Directory.Exists(path))
                throw NoFolder(path);
            path = HubCache.Resolve(path);
            if (!Path.Exists(Path.Join(path, AdapterConfig.FileName)))
                throw NoAdapter(path);
            var config = AdapterConfig.Load(path);
            if (!Path.Exists(Path.Join(path, WeightsName)) && Path.Exists(Path.Join(path, PickleName)))
                throw new CheckpointException(
                    path,
                    $"holds {PickleName}, a file of PyTorch, which is not read: save the adapter with "
                        + "safe_serialization."
                );
            var file = SafetensorsFile.Open(Path.Join(path, WeightsName), " Is the download complete?", copies);
            try
            {
                file.Fill(CopyProgress.None);
                return new AdapterFolder(file, config, model);
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }
        catch (Exception e) when (RegularFile.IsFileTrouble(e))
        {
            throw RegularFile.Unreadable(path, e);
        }
    }

    public bool Holds(byte* data) => _file.Holds(data);

    public ILastReading ReadLast(byte* data, long bytes) => _file.MapAgain(data, bytes);

    public void ThrowIfChanged() => _file.ThrowIfChanged();

    public void Dispose()
    {
        _memory.Dispose();
        _file.Dispose();
    }

    public ModelWeights Adapt(ModelWeights weights) =>
        weights.Select(
            (place, matrix) =>
            {
                DeltaPiece[] pieces = PiecesOf(place);
                return _saved
                    .Matrix(place, matrix)
                    .With(pieces.Length == 0 ? null : _memory.Of(pieces, matrix.Outputs, matrix.Inputs));
            },
            _saved.Vector,
            _file.Tensors
        );

    private DeltaPiece[] PiecesOf(WeightPlace place) =>
        place.Role switch
        {
            WeightRole.GateUp => OfBoth(place),
            WeightRole.Gate => OfOne(place, 0),
            WeightRole.Up => OfOne(place, 1),
            _ => Own(place),
        };

    private DeltaPiece[] Own(WeightPlace place) =>
        _forms.Pieces.TryGetValue(place, out DeltaPiece piece) ? [piece] : [];

    // For a matrix of gate and up: a piece for both, or one for the even and one for the odd outputs.
    private DeltaPiece[] OfBoth(WeightPlace place) =>
        [
            .. Own(place),
            .. Own(place with { Role = WeightRole.Gate }).Select(piece => piece with { OutputStep = 2 }),
            .. Own(place with { Role = WeightRole.Up }).Select(piece => piece with { FirstOutput = 1, OutputStep = 2 }),
        ];

    // For the matrix of a gate or of an up: its own piece, or half of the outputs of one for both.
    private DeltaPiece[] OfOne(WeightPlace place, int from) =>
        [
            .. Own(place),
            .. Own(place with { Role = WeightRole.GateUp })
                .Select(piece => piece with { B = piece.B.EverySecond(from) }),
        ];

    private static CheckpointException NoFolder(string path) =>
        new(
            path,
            !File.Exists(path) ? "does not exist. It should be the folder of an adapter."
                : GgufFile.IsGguf(path) ? GgufAdapter
                : "is a file, but should be the folder of an adapter: give the folder that it lies in."
        );

    private static CheckpointException NoAdapter(string folder) =>
        new(
            folder,
            Directory.EnumerateFiles(folder, "*.gguf").Any()
                ? GgufAdapter
                : $"holds no {AdapterConfig.FileName}. It should be the folder of an adapter, with that file and "
                    + $"{WeightsName}, as PEFT saves them."
        );

    private const string GgufAdapter =
        "is an adapter in GGUF, which is not read: give the folder that it was converted from, with "
        + AdapterConfig.FileName
        + " and "
        + WeightsName
        + ".";
}
