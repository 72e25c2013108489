using System.Text.RegularExpressions;
using GptOss.Checkpoint;

namespace GptOss.Cli.Inspect;

internal enum TensorRole
{
    Embedding,
    Expert,
    Other,
}

/// <summary>Tensors that differ in nothing but the layer and the expert: one line of the table.</summary>
/// <param name="Name">The tensors' name, with a star for the number of the layer and of the expert.</param>
/// <param name="Count">How many tensors the group has.</param>
/// <param name="DType">The element type as the file spells it.</param>
/// <param name="Shape">The shape of each tensor.</param>
/// <param name="Role">What the names of every layout say of the tensors' part in the model.</param>
/// <param name="Parameters">Weights of all tensors together.</param>
/// <param name="Bytes">Bytes of all tensors together.</param>
internal sealed partial record TensorGroup(
    string Name,
    int Count,
    string DType,
    long[] Shape,
    TensorRole Role,
    long Parameters,
    long Bytes
)
{
    /// <summary>Groups a folder's tensors, in the order of their first appearance.</summary>
    public static List<TensorGroup> Of(IEnumerable<Tensor> tensors) =>
        [
            .. tensors
                .Select(tensor => (Name: Number().Replace(tensor.Name, "$1*"), Tensor: tensor))
                .GroupBy(pair => (pair.Name, Kind: pair.Tensor.ToString()))
                .Select(group => new TensorGroup(
                    Printable.Name(group.Key.Name),
                    group.Count(),
                    group.First().Tensor.DType.Spelling(),
                    group.First().Tensor.Shape.ToArray(),
                    RoleOf(group.Key.Name),
                    group.Sum(pair => ParametersOf(pair.Tensor)),
                    group.Sum(pair => pair.Tensor.ByteLength)
                )),
        ];

    // Each part of the model by its name in Hugging Face's layout, in OpenAI's and in GGUF.
    [GeneratedRegex(@"\b((?:layers|block|blk|experts|gate_up_projs|down_projs)\.)[0-9]+(?=\.)")]
    private static partial Regex Number();

    private static TensorRole RoleOf(string name) =>
        name is "embedding.weight" or "token_embd.weight"
        || name.EndsWith("model.embed_tokens.weight", StringComparison.Ordinal)
            ? TensorRole.Embedding
        : name.Contains(".mlp.experts.", StringComparison.Ordinal)
        || name.Contains(".mlp.mlp", StringComparison.Ordinal)
        || name.Contains("_exps.", StringComparison.Ordinal)
            ? TensorRole.Expert
        : TensorRole.Other;

    private static long ParametersOf(Tensor tensor) =>
        tensor.Name.EndsWith("_blocks", StringComparison.Ordinal)
        || tensor.Name.EndsWith(".blocks", StringComparison.Ordinal)
            ? 2 * tensor.Count
        : tensor.Name.EndsWith("_scales", StringComparison.Ordinal)
        || tensor.Name.EndsWith(".scales", StringComparison.Ordinal)
            ? 0
        : tensor.Count;
}
