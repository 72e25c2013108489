using System.Buffers.Binary;
using System.Text.Json;

namespace GptOss.Tests.Oracles;

/// <summary>
/// Reads a well-formed model folder for <see cref="ReferenceTransformer"/>, widened to float64. Shares nothing with
/// GptOss.Checkpoint.
/// </summary>
internal sealed class ReferenceFolder
{
    private readonly Dictionary<string, (string DType, byte[] Data)> _tensors = [];

    public ReferenceFolder(string folder)
    {
        using JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "config.json")));
        Config = config.RootElement.Clone();
        foreach (string path in Directory.EnumerateFiles(folder, "*.safetensors"))
            ReadFile(File.ReadAllBytes(path));
    }

    public JsonElement Config { get; }

    public bool IsHuggingFace => Config.TryGetProperty("model_type", out _);

    /// <summary>A number of config.json, or of one of its objects.</summary>
    public static double? Number(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number
            ? value.GetDouble()
            : null;

    public double[] Values(string name)
    {
        (string dtype, byte[] data) = _tensors[name];
        return dtype switch
        {
            "BF16" => Convert(data, 2, at =>
                BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadInt16LittleEndian(at) << 16)
            ),
            "F16" => Convert(data, 2, at => (double)BinaryPrimitives.ReadHalfLittleEndian(at)),
            "F32" => Convert(data, 4, at => BinaryPrimitives.ReadSingleLittleEndian(at)),
            _ => throw new NotSupportedException($"{name} is {dtype}."),
        };
    }

    /// <summary>
    /// Experts as [expert, out, in], from MXFP4 or from bf16; the latter is [expert, in, out] in the Hugging Face
    /// layout.
    /// </summary>
    public double[] Experts(string name, int outputs, int inputs)
    {
        string suffix = IsHuggingFace ? "_" : ".";
        if (_tensors.ContainsKey($"{name}{suffix}blocks"))
            return Mxfp4(_tensors[$"{name}{suffix}blocks"].Data, _tensors[$"{name}{suffix}scales"].Data);

        double[] stored = Values(name);
        if (!IsHuggingFace)
            return stored;
        double[] turned = new double[stored.Length];
        for (int i = 0; i < stored.Length; i++)
        {
            int output = i % outputs,
                input = i / outputs % inputs,
                expert = i / outputs / inputs;
            turned[(((expert * outputs) + output) * inputs) + input] = stored[i];
        }

        return turned;
    }

    /// <summary>
    /// An E2M1 code is sign, two exponent bits (bias 1) and one mantissa bit; the low nibble comes first.
    /// </summary>
    private static double[] Mxfp4(byte[] blocks, byte[] scales)
    {
        double[] values = new double[2 * blocks.Length];
        for (int i = 0; i < values.Length; i++)
        {
            int code = i % 2 == 0 ? blocks[i / 2] & 0xF : blocks[i / 2] >> 4;
            int exponent = (code >> 1) & 3,
                mantissa = code & 1;
            double magnitude = exponent == 0 ? mantissa * 0.5 : (1 + (mantissa * 0.5)) * Math.Pow(2, exponent - 1);
            values[i] = (code >= 8 ? -magnitude : magnitude) * Math.Pow(2, scales[i / 32] - 127);
        }

        return values;
    }

    private static double[] Convert(byte[] data, int width, Func<ReadOnlySpan<byte>, double> read)
    {
        double[] values = new double[data.Length / width];
        for (int i = 0; i < values.Length; i++)
            values[i] = read(data.AsSpan(i * width, width));
        return values;
    }

    private void ReadFile(byte[] file)
    {
        int header = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        using JsonDocument json = JsonDocument.Parse(file.AsMemory(8, header));
        foreach (JsonProperty tensor in json.RootElement.EnumerateObject().Where(entry => entry.Name != "__metadata__"))
        {
            JsonElement offsets = tensor.Value.GetProperty("data_offsets");
            int from = 8 + header + offsets[0].GetInt32(),
                to = 8 + header + offsets[1].GetInt32();
            _tensors.Add(tensor.Name, (tensor.Value.GetProperty("dtype").GetString()!, file[from..to]));
        }
    }
}
