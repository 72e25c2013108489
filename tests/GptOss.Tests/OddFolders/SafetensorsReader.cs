using System.Buffers.Binary;
using System.Text.Json;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.OddFolders;

/// <summary>Reads a sound safetensors file; shares no code with the library.</summary>
internal static class SafetensorsReader
{
    public static Dictionary<string, TinyTensor> Read(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        int start = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        using var header = JsonDocument.Parse(file.AsMemory(8, start - 8));
        return header
            .RootElement.EnumerateObject()
            .Where(entry => entry.Name != "__metadata__")
            .ToDictionary(
                entry => entry.Name,
                entry =>
                {
                    int[] offsets = Numbers(entry.Value, "data_offsets");
                    return new TinyTensor(
                        entry.Value.GetProperty("dtype").GetString()!,
                        Numbers(entry.Value, "shape"),
                        file[(start + offsets[0])..(start + offsets[1])]
                    );
                }
            );
    }

    private static int[] Numbers(JsonElement entry, string field) =>
        [.. entry.GetProperty(field).EnumerateArray().Select(number => number.GetInt32())];
}
