using System.Buffers.Binary;
using System.Diagnostics;
using GptOss.Generation;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Fuzzing.Inputs;

/// <summary>A saved prefix: a header with a checksum, tokens, pages of keys and values.</summary>
internal sealed class PrefixInput : FuzzInput
{
    private readonly LoadedModel _model = LoadedModel.Random(
        new TinyShape { NumHiddenLayers = 1, LayerTypes = "f" },
        seed: 1,
        format: KeyValueFormat.Int8
    );
    private readonly TemporaryFolder _folder = new();
    private readonly string _file;
    private readonly byte[] _sound;

    public PrefixInput()
    {
        _file = Path.Combine(_folder.Path, "prefix");
        var stream = new MemoryStream();
        _model.Model.SavePrefixAsync(LoadedModel.Prompt(100, 512), stream).GetAwaiter().GetResult();
        while (_model.Engine.Cache.Pool.MakeRoom!(1)) { }
        _sound = stream.ToArray();
    }

    public override string Name => "saved-prefix";

    public override bool CanBeRead => false;

    /// <summary>The time on the wall, since another thread reads.</summary>
    public override TimeSpan Now => Stopwatch.GetElapsedTime(0);

    public override byte[] Draw(Random random)
    {
        byte[] file = [.. _sound];
        switch (random.Next(3))
        {
            case 0: // another number in a header whose checksum is right
                int place = 12 + 4 * random.Next(7);
                BinaryPrimitives.WriteInt32LittleEndian(
                    file.AsSpan(place),
                    random.Next(2) == 0
                        ? BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(place)) + random.Next(-2, 3)
                        : (int)EdgeValues.Numbers[random.Next(EdgeValues.Numbers.Length)]
                );
                BinaryPrimitives.WriteUInt32LittleEndian(
                    file.AsSpan(40),
                    SavedPrefixHeader.Checksum(0, file.AsSpan(0, 40))
                );
                break;
            case 1: // in the header or the tokens
                file = ByteDamage.Damage(file, random, SavedPrefixHeader.Bytes + 400);
                break;
            default:
                file = ByteDamage.Damage(file, random);
                break;
        }
        // A damage that changes nothing is made one.
        return file.AsSpan().SequenceEqual(_sound) ? [.. file, 0] : file;
    }

    /// <summary>All is refused, with what was expected and found, and nothing of it stays.</summary>
    public override bool Reads(byte[] input)
    {
        File.WriteAllBytes(_file, input);
        try
        {
            _model.Model.LoadPrefixAsync(_file).GetAwaiter().GetResult();
        }
        catch (SavedStateException error)
        {
            Assert.Matches("should .*but |but should ", error.Message);
            Assert.Equal(0L, _model.Engine.Cache.Pool.RentedBytes);
            throw;
        }
        Assert.Fail("A damaged prefix was loaded.");
        return true;
    }

    protected override void Close()
    {
        _model.Dispose();
        _folder.Dispose();
    }
}
