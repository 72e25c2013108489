using GptOss.Tests.Oracles;

namespace GptOss.Tests.OddFolders;

/// <summary>Values that are not finite: the generation stops and the message names the tensor.</summary>
internal static class ValueCases
{
    private const string Says = "the logits are not finite",
        Holds = "holds a value that is not finite at element ";

    // Tensors by their names in the Hugging Face layout and in the original one.
    private static readonly (string HuggingFace, string Original)[] Names =
    [
        ("model.layers.0.input_layernorm.weight", "block.0.attn.norm.scale"),
        ("model.layers.1.self_attn.sinks", "block.1.attn.sinks"),
        ("model.layers.1.self_attn.o_proj.bias", "block.1.attn.out.bias"),
        ("model.layers.0.mlp.router.weight", "block.0.mlp.gate.weight"),
        ("model.layers.0.mlp.router.bias", "block.0.mlp.gate.bias"),
        ("model.norm.weight", "norm.scale"),
        ("lm_head.weight", "unembedding.weight"),
    ];

    private static readonly (string Name, byte[] Value)[] Bad =
    [
        ("NaN", [0xC0, 0x7F]),
        ("∞", [0x80, 0x7F]),
        ("−∞", [0x80, 0xFF]),
    ];

    public static IEnumerable<OddCase> All =>
        [
            .. from one in Bad
            from names in Names
            where one.Name == "NaN" || names.HuggingFace != "model.layers.1.self_attn.sinks" // −∞ is no sink at all
            select Of(OddBase.HuggingFace, names.HuggingFace, one.Name, one.Value),
            .. Names.Select(names => Of(OddBase.Original, names.Original, "NaN", Bad[0].Value)),
            Of(OddBase.HuggingFace, "model.layers.0.mlp.experts.gate_up_proj_scales", "255", [255]),
            Of(OddBase.HuggingFace, "model.layers.1.mlp.experts.down_proj_scales", "255", [255]),
            Of(OddBase.Original, "block.0.mlp.mlp1_weight.scales", "255", [255]),
            Of(OddBase.Original, "block.1.mlp.mlp2_weight.scales", "255", [255]),
            Of(OddBase.FineTune, "model.layers.0.mlp.experts.gate_up_proj", "NaN", Bad[0].Value),
            Of(OddBase.FineTune, "model.layers.1.mlp.experts.down_proj", "∞", Bad[1].Value),
            new(
                "values: a run of FF over the weights",
                OddBase.HuggingFace,
                f => f.Bytes(file => [.. file[..^40_000], .. Enumerable.Repeat((byte)0xFF, 40_000)]),
                "{W}",
                Says,
                Holds
            ),
            new(
                "values: zeros in the place of the head",
                OddBase.HuggingFace,
                f => f.Tensors(tensors => Fill(tensors["lm_head.weight"], [0])),
                "the logits are not finite or all equal",
                "the weights are zeros"
            ),
            // What no token of the prompt looks at does no harm.
            new("values: NaN in the embedding of a token that does not come", OddBase.HuggingFace, f =>
                f.Tensors(tensors => Fill(tensors["model.embed_tokens.weight"], Bad[0].Value, 900 * OddBase.Hidden * 2))
            ),
        ];

    // Every value of the tensor, so that the prompt meets it.
    private static OddCase Of(OddBase sound, string tensor, string name, byte[] value) =>
        new(
            $"values, {sound.Name}: {name} in {tensor}",
            sound,
            f => f.Tensors(tensors => Fill(tensors[tensor], value)),
            "{W}",
            Says,
            $"tensor '{tensor}' {Holds}0"
        );

    private static void Fill(TinyTensor tensor, byte[] value, int from = 0)
    {
        int end = from == 0 ? tensor.Data.Length : from + 64;
        for (int i = from; i < end; i++)
            tensor.Data[i] = value[i % value.Length];
    }
}
