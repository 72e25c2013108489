namespace GptOss;

/// <summary>Why a generation ended.</summary>
public enum EndReason
{
    /// <summary>The generation has not ended yet, was left before its end, or failed.</summary>
    None,

    /// <summary>The last token is a stop token.</summary>
    Stop,

    /// <summary>As many tokens were made as the request allows.</summary>
    MaxTokens,

    /// <summary>Prompt and answer fill the context.</summary>
    ContextFull,
}
