using System.Text.RegularExpressions;

namespace GptOss.Checkpoint.Safetensors;

/// <summary>
/// Says why a tensor is missing from the safetensors files of a folder, which the names that are there tell.
/// </summary>
internal static partial class MissingTensor
{
    private static readonly string[] Adapters = [".lora_", ".base_layer.", ".modules_to_save.", ".original_module."];

    // Endings and parts of names, each with the tool that quantises weights into tensors of such names.
    private static readonly (string Part, string Tool)[] Quantisers =
    [
        (".qweight", "GPTQ or AWQ"),
        (".qzeros", "GPTQ or AWQ"),
        (".g_idx", "GPTQ"),
        (".weight_packed", "compressed-tensors"),
        (".weight_scale_inv", "an FP8 tool"),
        (".weight_scale", "compressed-tensors, modelopt or an FP8 tool"),
        (".absmax", "bitsandbytes"),
        (".quant_state.", "bitsandbytes"),
        (".SCB", "bitsandbytes"),
        (".input_scale", "modelopt or an FP8 tool"),
        (".scales", "MLX"),
        (".biases", "MLX"),
        ("_weight_scale", "an FP8 tool"),
    ];

    /// <summary>The tool that quantised a folder with such tensors; null where none did.</summary>
    public static string? Quantiser(IEnumerable<string> names) =>
        names
            .SelectMany(name =>
                Quantisers.Where(known =>
                    name.Contains(known.Part, StringComparison.Ordinal)
                    && !name.Contains(".mlp.mlp", StringComparison.Ordinal)
                )
            )
            .Select(known => known.Tool)
            .FirstOrDefault();

    /// <summary>
    /// Says why a tensor is missing, concluded from the names that are there: the rest of a sentence and the next step.
    /// </summary>
    /// <param name="missing">The name that the model needs.</param>
    /// <param name="names">All names that the files hold.</param>
    /// <param name="files">How many files hold them.</param>
    public static string Why(string missing, IReadOnlyCollection<string> names, int files)
    {
        string start = $"is in none of the folder's {files} .safetensors files";
        if (
            missing.EndsWith("_blocks", StringComparison.Ordinal)
            && names.FirstOrDefault(name => PackedExpert().IsMatch(name)) is { } packed
        )
            return $"{start}: each expert's MXFP4 lies in tensors of its own, such as '{Printable.Name(packed)}', "
                + "which is not read. Save the model with transformers, which keeps the experts of a layer in one "
                + "tensor, or in bf16.";
        if (Quantiser(names) is { } tool)
            return $"{start}: the folder was saved quantised by another tool ({tool}). Use one that was saved in bf16, "
                + "F16 or F32, or with OpenAI's MXFP4.";
        if (
            names.FirstOrDefault(name => Adapters.Any(part => name.Contains(part, StringComparison.Ordinal)))
            is not null
        )
            return $"{start}: the folder holds an adapter (LoRA) that was not merged. Merge it (merge_and_unload in "
                + "PEFT) and save again.";
        if (names.FirstOrDefault(name => name.EndsWith("." + missing, StringComparison.Ordinal)) is { } prefixed)
            return $"{start} under that name, but as '{Printable.Name(prefixed)}', and not every name has that prefix: "
                + "save the model again without the wrapper.";
        if (
            missing.EndsWith("bias", StringComparison.Ordinal)
            && !names.Any(name => name.EndsWith("bias", StringComparison.Ordinal))
        )
            return $"{start}: they hold no biases at all, and gpt-oss has one in every projection. The tool that saved "
                + "the folder dropped them: save it again with another.";
        if (
            (missing.EndsWith("bias", StringComparison.Ordinal) || missing.EndsWith("sinks", StringComparison.Ordinal))
            && !names.Any(name => name.EndsWith(Kind(missing), StringComparison.Ordinal))
        )
            return $"{start}, nor in any other layer: the tool that saved the folder dropped such "
                + $"{(missing.EndsWith("bias", StringComparison.Ordinal) ? "biases" : "sinks")}. Save it again with "
                + "another"
                + (
                    missing.Contains("_attn", StringComparison.Ordinal)
                    && missing.EndsWith("bias", StringComparison.Ordinal)
                        ? ", or set attention_bias of config.json to false if the model was trained without."
                        : "."
                );
        if (missing.StartsWith("model.", StringComparison.Ordinal) && names.Contains(missing["model.".Length..]))
            return $"{start} under that name, but without 'model.': the inner model was saved without its head. Save "
                + "the whole model (GptOssForCausalLM) again.";
        if (missing == "lm_head.weight")
            return $"{start}: set tie_word_embeddings of config.json to true if the model shares this matrix with the "
                + "embedding; otherwise the files are not all of this model, and the folder has to be downloaded "
                + "again.";
        bool original = names.Contains("embedding.weight"),
            huggingFace = names.Contains("model.embed_tokens.weight");
        if (
            original && missing.StartsWith("model.", StringComparison.Ordinal)
            || huggingFace && !missing.StartsWith("model.", StringComparison.Ordinal) && missing != "lm_head.weight"
        )
            return $"{start}: they have the names of "
                + $"{(original ? "OpenAI's original layout" : "the Hugging Face layout")}, and "
                + "config.json is that of the other one. Put the config.json beside them that they came with.";
        return names.Count == 0
            ? $"{start}, which are empty. Download them again."
            : $"{start}, which hold {names.Count} others, such as '{Printable.Name(names.First())}': they are not all "
                + "of this model. Download the folder again.";
    }

    [GeneratedRegex(
        @"\.experts\.([0-9]+\..*_?(blocks|scales)|[a-z_]*projs?\.[0-9]+[._](blocks|scales))$",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex PackedExpert();

    /// <summary>The part of a name behind the number of its layer.</summary>
    private static string Kind(string name)
    {
        int digit = name.AsSpan().IndexOfAnyInRange('0', '9');
        int dot = digit < 0 ? -1 : name.IndexOf('.', digit);
        return dot < 0 ? name : name[dot..];
    }
}
