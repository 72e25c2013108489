namespace GptOss.Cli.Bench;

/// <summary>In which form random weights are made: that of published safetensors, or of GGUF files.</summary>
internal enum RandomForm
{
    /// <summary>Dense bfloat16, MXFP4 with its scales apart, gate and up in one matrix.</summary>
    Safetensors,

    /// <summary>Dense bfloat16, MXFP4 with a scale in each block, gate and up apart.</summary>
    Gguf,

    /// <summary>As most GGUF files: dense Q8_0, MXFP4 with a scale in each block, gate and up apart.</summary>
    GgufQ8,
}
