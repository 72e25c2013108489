namespace GptOss.Harmony;

/// <summary>What a parser expects next.</summary>
internal enum ParserState
{
    ExpectStart,
    Header,
    Content,
}

/// <summary>Where a parser stands after a token, as the reference library's parser shows it.</summary>
/// <param name="State">What it expects next.</param>
/// <param name="Role">The running message's role, or the preset one before its header is complete.</param>
/// <param name="Channel">The running message's channel, from the end of its header on; likewise the next two.</param>
/// <param name="Recipient">Its recipient.</param>
/// <param name="ContentType">Its content type.</param>
/// <param name="Delta">The text that the last token added; null for none.</param>
/// <param name="Content">The running message's text so far.</param>
internal readonly record struct ParserView(
    ParserState State,
    HarmonyRole? Role,
    string? Channel,
    string? Recipient,
    string? ContentType,
    string? Delta,
    string Content
);
