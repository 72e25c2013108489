using System.Globalization;
using GptOss.Kernels.Formats;

namespace GptOss.Model;

/// <summary>
/// The names that tensors have in a layout of files, as data: for each role of a weight the alternatives, of which the
/// first one counts that the files hold.
/// </summary>
/// <remarks>
/// <c>{n}</c> stands for the number of the layer and <c>{e}</c> for that of the expert. A name without <c>{e}</c> in a
/// role of experts is one tensor for all of them. Of roles that exclude each other, such as gate_up and gate, the role
/// that is listed first is the one whose absence is reported. Source of the names: docs/formats.md.
/// </remarks>
/// <param name="layerPrefix">What every name of a layer's tensor begins with, up to the layer's number.</param>
/// <param name="layerCount">The field that says how many layers the model has, as messages name it.</param>
/// <param name="table">The alternatives of each role that the layout has.</param>
internal sealed class TensorNames(
    string layerPrefix,
    string layerCount,
    params (WeightRole Role, TensorName[] Alternatives)[] table
)
{
    private const string Hf = "model.layers.{n}.",
        Experts = Hf + "mlp.experts.",
        OpenAi = "block.{n}.",
        Block = "blk.{n}.";

    /// <summary>
    /// The names of Hugging Face's transformers, and for experts those of every tool that saves fine-tunes.
    /// </summary>
    /// <remarks>
    /// Experts: MXFP4 as published; one tensor by input (transformers, TRL, axolotl, merged PEFT); a list (Unsloth,
    /// linearised); by expert, fused or with gate and up apart (llm-compressor, Megatron and slime bridges).
    /// </remarks>
    private static readonly TensorNames HuggingFace = new(
        "model.layers.",
        "num_hidden_layers of config.json",
        (WeightRole.Embedding, [new("model.embed_tokens.weight")]),
        (WeightRole.AttentionNorm, [new(Hf + "input_layernorm.weight")]),
        (WeightRole.Query, [TensorName.Of(Hf + "self_attn.q_proj")]),
        (WeightRole.Key, [TensorName.Of(Hf + "self_attn.k_proj")]),
        (WeightRole.Value, [TensorName.Of(Hf + "self_attn.v_proj")]),
        (WeightRole.Sinks, [new(Hf + "self_attn.sinks")]),
        (WeightRole.Output, [TensorName.Of(Hf + "self_attn.o_proj")]),
        (WeightRole.ExpertNorm, [new(Hf + "post_attention_layernorm.weight")]),
        (WeightRole.Router, [TensorName.Of(Hf + "mlp.router"), TensorName.Of(Hf + "mlp.router.linear")]),
        (
            WeightRole.GateUp,
            [
                TensorName.Mxfp4(Experts + "gate_up_proj"),
                TensorName.ByInput(Experts + "gate_up_proj"),
                TensorName.Of(Experts + "gate_up_projs.{e}"),
                TensorName.Of(Experts + "{e}.gate_up_proj"),
            ]
        ),
        (WeightRole.Gate, [TensorName.Of(Experts + "{e}.gate_proj")]),
        (WeightRole.Up, [TensorName.Of(Experts + "{e}.up_proj")]),
        (
            WeightRole.Down,
            [
                TensorName.Mxfp4(Experts + "down_proj"),
                TensorName.ByInput(Experts + "down_proj"),
                TensorName.Of(Experts + "down_projs.{e}"),
                TensorName.Of(Experts + "{e}.down_proj"),
            ]
        ),
        (WeightRole.FinalNorm, [new("model.norm.weight")]),
        (WeightRole.Head, [new("lm_head.weight")])
    );

    /// <summary>The names of OpenAI's own code: fused query, key and value, experts by output.</summary>
    private static readonly TensorNames Original = new(
        "block.",
        "num_hidden_layers of config.json",
        (WeightRole.Embedding, [new("embedding.weight")]),
        (WeightRole.AttentionNorm, [new(OpenAi + "attn.norm.scale")]),
        (WeightRole.QueryKeyValue, [TensorName.Of(OpenAi + "attn.qkv")]),
        (WeightRole.Sinks, [new(OpenAi + "attn.sinks")]),
        (WeightRole.Output, [TensorName.Of(OpenAi + "attn.out")]),
        (WeightRole.ExpertNorm, [new(OpenAi + "mlp.norm.scale")]),
        (WeightRole.Router, [TensorName.Of(OpenAi + "mlp.gate")]),
        (WeightRole.GateUp, OriginalExperts(OpenAi + "mlp.mlp1")),
        (WeightRole.Down, OriginalExperts(OpenAi + "mlp.mlp2")),
        (WeightRole.FinalNorm, [new("norm.scale")]),
        (WeightRole.Head, [new("unembedding.weight")])
    );

    /// <summary>The names of llama.cpp, and of Ollama where it has or had others.</summary>
    private static readonly TensorNames Gguf = new(
        "blk.",
        "block_count",
        (WeightRole.Embedding, [new("token_embd.weight")]),
        (WeightRole.AttentionNorm, [new(Block + "attn_norm.weight")]),
        (WeightRole.Query, [TensorName.Of(Block + "attn_q")]),
        (WeightRole.Key, [TensorName.Of(Block + "attn_k")]),
        (WeightRole.Value, [TensorName.Of(Block + "attn_v")]),
        (WeightRole.QueryKeyValue, [TensorName.Of(Block + "attn_qkv")]),
        (WeightRole.Sinks, [new(Block + "attn_sinks.weight"), new(Block + "attn_sinks")]),
        (WeightRole.Output, [TensorName.Of(Block + "attn_output"), TensorName.Of(Block + "attn_out")]),
        (WeightRole.ExpertNorm, [new(Block + "post_attention_norm.weight"), new(Block + "ffn_norm.weight")]),
        (WeightRole.Router, [TensorName.Of(Block + "ffn_gate_inp")]),
        (WeightRole.Gate, [TensorName.Of(Block + "ffn_gate_exps")]),
        (WeightRole.Up, [TensorName.Of(Block + "ffn_up_exps")]),
        (WeightRole.GateUp, [TensorName.Of(Block + "ffn_gate_up_exps")]),
        (WeightRole.Down, [TensorName.Of(Block + "ffn_down_exps")]),
        (WeightRole.FinalNorm, [new("output_norm.weight")]),
        (WeightRole.Head, [new("output.weight")])
    );

    /// <summary>What every name of a layer's tensor begins with, up to the layer's number.</summary>
    public string LayerPrefix => layerPrefix;

    /// <summary>The field that says how many layers the model has, as messages name it.</summary>
    public string LayerCount => layerCount;

    /// <summary>The alternatives of a role, none where the layout does not have it.</summary>
    public TensorName[] this[WeightRole role] => Array.Find(table, row => row.Role == role).Alternatives ?? [];

    /// <summary>The names of a layout.</summary>
    public static TensorNames Of(CheckpointLayout layout) =>
        layout switch
        {
            CheckpointLayout.HuggingFace => HuggingFace,
            CheckpointLayout.Original => Original,
            CheckpointLayout.Gguf => Gguf,
            _ => throw new ArgumentOutOfRangeException(nameof(layout), layout, "No names are known of this layout."),
        };

    /// <summary>Whether the absence of the first role is reported where neither of the two is there.</summary>
    public bool Prefers(WeightRole role, WeightRole other)
    {
        int at = Array.FindIndex(table, row => row.Role == role),
            otherAt = Array.FindIndex(table, row => row.Role == other);
        return at >= 0 && (otherAt < 0 || at < otherAt);
    }

    private static TensorName[] OriginalExperts(string name) =>
        [new(name + "_weight.blocks", name + "_bias", name + "_weight.scales"), new(name + "_weight", name + "_bias")];
}

/// <summary>The names of the tensors that make one weight, in one of the forms in which files have it.</summary>
/// <param name="Weight">The tensor of the weights, or of their codes where the scales lie apart.</param>
/// <param name="Bias">The tensor of the bias; null where the weight has none.</param>
/// <param name="Scales">The tensor of the scales, where they lie apart; then the weights are MXFP4.</param>
/// <param name="Layout">Whether a matrix is stored output by output or input by input.</param>
internal sealed record TensorName(
    string Weight,
    string? Bias = null,
    string? Scales = null,
    MatrixLayout Layout = MatrixLayout.ByOutput
)
{
    /// <summary>The names of a role that the layout does not have.</summary>
    public static readonly TensorName None = new("");

    /// <summary>Whether each expert has a tensor of its own.</summary>
    public bool IsOfOneExpert => Weight.Contains("{e}", StringComparison.Ordinal);

    /// <summary>A matrix <c>NAME.weight</c> with its <c>NAME.bias</c>.</summary>
    public static TensorName Of(string name) => new(name + ".weight", name + ".bias");

    /// <summary>The names with the numbers of a layer and of an expert.</summary>
    public TensorName At(int layer, int expert = 0)
    {
        string Fill(string name) =>
            name.Replace("{n}", layer.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
                .Replace("{e}", expert.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        return new(Fill(Weight), Bias is null ? null : Fill(Bias), Scales is null ? null : Fill(Scales), Layout);
    }

    /// <summary>Experts in one tensor of numbers, stored input by input, with <c>NAME_bias</c>.</summary>
    internal static TensorName ByInput(string name) => new(name, name + "_bias", Layout: MatrixLayout.ByInput);

    /// <summary>Experts in one tensor of MXFP4 codes and one of scales, with <c>NAME_bias</c>.</summary>
    internal static TensorName Mxfp4(string name) => new(name + "_blocks", name + "_bias", name + "_scales");
}
