using System.Buffers.Binary;
using System.Text.Json;

namespace GptOss.AspNetCore.Tests;

/// <summary>A copy of the tiny model's files, for tests that damage them.</summary>
internal sealed class DamagedTinyModel : IDisposable
{
    public DamagedTinyModel()
    {
        foreach (string file in Directory.GetFiles(TinyGptOss.Folder))
            File.Copy(file, Path.Join(Folder, Path.GetFileName(file)));
        Weights = Directory.GetFiles(Folder, "*.safetensors").Single();
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("gptoss-damaged-").FullName;

    /// <summary>The file that holds all tensors.</summary>
    public string Weights { get; }

    /// <summary>Makes the first value of a tensor not a number.</summary>
    public void Poison(string tensor)
    {
        using FileStream file = File.Open(Weights, FileMode.Open, FileAccess.ReadWrite);
        byte[] length = new byte[8];
        file.ReadExactly(length);
        byte[] header = new byte[BinaryPrimitives.ReadInt64LittleEndian(length)];
        file.ReadExactly(header);
        JsonElement described = JsonElement.Parse(header).GetProperty(tensor);
        Assert.Equal("BF16", described.GetProperty("dtype").GetString());
        file.Position = 8 + header.Length + described.GetProperty("data_offsets")[0].GetInt64();
        file.Write([0xFF, 0x7F]);
    }

    /// <summary>Cuts the second half of the weights off.</summary>
    public void Cut()
    {
        using FileStream file = File.Open(Weights, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        file.SetLength(file.Length / 2);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
