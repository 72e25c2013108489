using GptOss.Checkpoint;
using GptOss.Checkpoint.Safetensors;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Fuzzing.Inputs;

/// <summary>A model.safetensors.index.json beside the sound files that it tells of.</summary>
internal sealed class IndexInput : FuzzInput
{
    private const string FileName = "model.safetensors.index.json";

    private readonly TemporaryFolder _folder = new();
    private readonly string _index;
    private readonly byte[] _sound;

    public IndexInput()
    {
        TinyCheckpoint.Write(_folder.Path, new TinyShape { VocabSize = 64, Shards = 2 }, seed: 1);
        _index = Path.Combine(_folder.Path, FileName);
        _sound = File.ReadAllBytes(_index);
    }

    public override string Name => "index";

    public override byte[] Draw(Random random)
    {
        byte[] json = _sound;
        for (int damages = Damages(random); damages > 0; damages--)
            json = JsonDamage.Damage(json, random);
        return json;
    }

    /// <summary>Whatever an index says, no file of another folder is opened.</summary>
    public override bool Reads(byte[] input)
    {
        File.WriteAllBytes(_index, input);
        using SafetensorsFolder folder = SafetensorsFolder.Open(_folder.Path);
        foreach (string name in folder.Names)
            if (folder.TryGet(name, out Tensor tensor))
                Assert.Equal(_folder.Path, Path.GetDirectoryName(tensor.File));
        return true;
    }

    protected override void Close() => _folder.Dispose();
}
