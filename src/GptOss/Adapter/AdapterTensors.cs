using System.Text.RegularExpressions;
using GptOss.Checkpoint;
using GptOss.Checkpoint.Safetensors;

namespace GptOss.Adapter;

/// <summary>
/// Sorts the tensors of an adapter's file by their names: pairs of factors by module, and whole tensors that replace
/// those of the base.
/// </summary>
internal sealed partial class AdapterTensors
{
    private readonly Dictionary<string, Tensor> _whole = new(StringComparer.Ordinal);

    /// <exception cref="CheckpointException">A tensor is none that LoRA has, or lacks its other half.</exception>
    public AdapterTensors(SafetensorsFile file)
    {
        Dictionary<string, Tensor> a = new(StringComparer.Ordinal),
            b = new(StringComparer.Ordinal);
        foreach (Tensor tensor in file.Tensors)
        {
            if (tensor.Name.Contains("lora_magnitude_vector", StringComparison.Ordinal))
                throw Wrong(tensor, "belongs to DoRA (use_dora), which is not read: merge the adapter into its base.");
            if (tensor.DType is not (DType.BF16 or DType.F16 or DType.F32))
                throw Wrong(tensor, $"should be BF16, F16 or F32 but is {tensor}.");
            string name = Plain(tensor.Name);
            Match factor = FactorName().Match(name);
            Dictionary<string, Tensor> group =
                !factor.Success ? _whole
                : factor.Groups["half"].Value == "A" ? a
                : b;
            if (!group.TryAdd(factor.Success ? factor.Groups["module"].Value : name, tensor))
                throw Wrong(tensor, "is there twice, with and without the name of the adapter.");
        }
        Pairs = [.. a.Select(half => Pair(half.Key, half.Value, b))];
        if (b.Count > 0)
            throw Wrong(b.First().Value, "has no lora_A beside it: the file is not all of the adapter.");
        if (Pairs.Count + _whole.Count == 0)
            throw new CheckpointException(file.Path, "holds no tensor.");
    }

    /// <summary>The modules with their two factors, in the order of the file.</summary>
    public IReadOnlyList<LoraPair> Pairs { get; }

    /// <summary>The whole tensors by the names of the base's, which replace those.</summary>
    public IReadOnlyDictionary<string, Tensor> Whole => _whole;

    /// <summary>An error about a tensor that does not fit.</summary>
    public static CheckpointException Wrong(Tensor tensor, string reason) => new(tensor.File, reason, tensor.Name);

    private static LoraPair Pair(string module, Tensor a, Dictionary<string, Tensor> others) =>
        others.Remove(module, out Tensor b)
            ? new LoraPair(module, a, b)
            : throw Wrong(a, "has no lora_B beside it: the file is not all of the adapter.");

    // PEFT puts base_model.model. before the names of the model, and may leave the adapter's own name, "default".
    private static string Plain(string name)
    {
        const string prefix = "base_model.model.";
        if (name.StartsWith(prefix, StringComparison.Ordinal))
            name = name[prefix.Length..];
        return SavedModule().Replace(name, ".");
    }

    [GeneratedRegex(
        @"\A(?<module>.+)\.lora_(?<half>[AB])(?:\.default)?(?:\.weight)?\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture
    )]
    private static partial Regex FactorName();

    [GeneratedRegex(@"\.modules_to_save(?:\.default)?\.", RegexOptions.CultureInvariant)]
    private static partial Regex SavedModule();
}
