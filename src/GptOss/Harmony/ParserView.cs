namespace GptOss.Harmony;

/// <summary>The part of a message that a parser expects next.</summary>
internal enum ParserState
{
    /// <summary>The parser stands between two messages.</summary>
    ExpectStart,

    /// <summary>The parser stands within a header.</summary>
    Header,

    /// <summary>The parser stands within the content of a message.</summary>
    Content,
}

/// <summary>
/// Shows where a parser stands after a token, with the fields that the parser of OpenAI's harmony library shows, so
/// that the two can be compared.
/// </summary>
/// <param name="State">The part of a message that is expected next.</param>
/// <param name="Role">The unfinished message's role, or the preset one before its header is complete.</param>
/// <param name="Channel">The unfinished message's channel; null before its header is complete.</param>
/// <param name="Recipient">The unfinished message's recipient; null before its header is complete.</param>
/// <param name="ContentType">The unfinished message's content type; null before its header is complete.</param>
/// <param name="Delta">The text that the last token added; null for none.</param>
/// <param name="Content">The unfinished message's text so far.</param>
internal readonly record struct ParserView(
    ParserState State,
    HarmonyRole? Role,
    string? Channel,
    string? Recipient,
    string? ContentType,
    string? Delta,
    string Content
);
