using GptOss.Adapter;
using GptOss.Checkpoint;
using GptOss.Model;
using GptOss.Tests.Adapter;

namespace GptOss.Tests.Fuzzing.Inputs;

/// <summary>One of the two files of a LoRA adapter, beside the sound other one.</summary>
internal abstract class AdapterInput : FuzzInput
{
    private static readonly ModelConfig Base = ModelConfig.From(
        JsonFields.Load(Repository.Vector("oracle", "C", "config.json"))
    );

    private readonly TemporaryFolder _folder = new();
    private readonly string _damaged;

    protected AdapterInput(string damaged, string sound, string adapter)
    {
        File.Copy(Path.Combine(AdapterVectors.PathOf(adapter), sound), Path.Combine(_folder.Path, sound));
        _damaged = Path.Combine(_folder.Path, damaged);
    }

    protected static string ConfigName => "adapter_config.json";

    protected static string WeightsName => "adapter_model.safetensors";

    public override bool Reads(byte[] input)
    {
        File.WriteAllBytes(_damaged, input);
        AdapterFolder.Open(_folder.Path, Base).Dispose();
        return true;
    }

    protected override void Close() => _folder.Dispose();

    protected static byte[] Sound(string adapter, string file) =>
        File.ReadAllBytes(Path.Combine(AdapterVectors.PathOf(adapter), file));
}

/// <summary>An adapter_config.json beside weights that fit one of the sound ones.</summary>
internal sealed class AdapterConfigInput() : AdapterInput(ConfigName, WeightsName, "patterns")
{
    private static readonly byte[][] AllSound = [.. AdapterVectors.Names.Select(name => Sound(name, ConfigName))];
    private static readonly byte[] OfTheWeights = Sound("patterns", ConfigName);

    public override string Name => "adapter-config";

    /// <summary>Each pattern becomes an automaton of some MB at most, whose size has a bound of its own.</summary>
    public override long MostBytes(int length) => 32 << 20;

    public override byte[] Draw(Random random)
    {
        byte[] json = random.Next(4) == 0 ? Any(AllSound, random) : OfTheWeights;
        for (int damages = Damages(random); damages > 0; damages--)
            json = JsonDamage.Damage(json, random, AllSound);
        return json;
    }
}

/// <summary>An adapter_model.safetensors: names of matrices, their shapes and what they are called by.</summary>
internal sealed class AdapterWeightsInput() : AdapterInput(WeightsName, ConfigName, "experts-down-only")
{
    private static readonly byte[] OfTheConfig = Sound("experts-down-only", WeightsName);

    public override string Name => "adapter-weights";

    public override byte[] Draw(Random random)
    {
        byte[] file = OfTheConfig;
        for (int damages = Damages(random); damages > 0; damages--)
            file =
                random.Next(6) == 0
                    ? ByteDamage.Damage(file, random)
                    : HeaderInput.WithJson(file, json => JsonDamage.Damage(json, random));
        return file;
    }
}
