using GptOss.Checkpoint;

namespace GptOss.Model;

/// <summary>
/// Refuses a folder whose config says that another tool quantised it, with a message that names the tool. Without this
/// check the message would be that a tensor is missing.
/// </summary>
internal static class ConfigQuantization
{
    private const string Field = "quantization_config",
        Method = "quant_method";

    private const string Foreign = "The folder was quantised by another tool.";

    private const string NextStep = "Use a folder that was saved in bf16, F16 or F32, or with OpenAI's MXFP4.";

    /// <summary>Fields by which a tool is known where <c>quant_method</c> is missing.</summary>
    private static readonly (string Field, string Tool)[] Signs =
    [
        ("load_in_4bit", "bitsandbytes"),
        ("load_in_8bit", "bitsandbytes"),
        ("bnb_4bit_quant_type", "bitsandbytes"),
        ("config_groups", "compressed-tensors"),
        ("quant_algo", "modelopt"),
        ("producer", "modelopt"),
        ("bits", "GPTQ, AWQ or MLX"),
        ("w_bit", "AWQ"),
    ];

    /// <exception cref="CheckpointException">The config names a method that is not MXFP4.</exception>
    public static void RefuseForeign(JsonFields json)
    {
        // MLX writes "quantization", and a copy of it for others.
        if (json.OptionalObject("quantization") is { } mlx && (mlx.Has("bits") || mlx.Has("group_size")))
            throw json.Wrong("quantization", "nothing", "a field of MLX", $"{Foreign} {NextStep}");
        if (json.OptionalObject(Field) is not { } quantization)
            return;
        if (quantization.OptionalText(Method) is { } method)
        {
            if (!string.Equals(method, "mxfp4", StringComparison.OrdinalIgnoreCase))
                throw quantization.Wrong(Method, "'mxfp4'", JsonFields.Quoted(method), $"{Foreign} {NextStep}");
            return;
        }
        foreach ((string field, string tool) in Signs)
            if (quantization.Has(field))
                throw json.Wrong(
                    Field,
                    $"{Method} 'mxfp4' in it",
                    $"'{field}', a field of {tool}",
                    $"{Foreign} {NextStep}"
                );
    }
}
