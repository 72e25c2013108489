using GptOss.AspNetCore.Faults;

namespace GptOss.AspNetCore.Requests;

/// <summary>
/// Reads the text of a message, which clients send as a string or as a list of parts. Parts are lines to the model.
/// </summary>
/// <remarks>
/// A picture, sound or file is refused only where somebody waits for it to be read: in the newest message of the user,
/// if that does not follow a tool's result. Anywhere else, a refusal would end an agent's session for good, because the
/// part comes again with every later request; there a line says that something was left out.
/// </remarks>
internal static class TextParts
{
    private const int MostParts = 100;

    /// <summary>The whole text of a message's content.</summary>
    /// <param name="content">A string or a list of parts; it must be there.</param>
    /// <param name="refusesOthers">Whether a part that is no text is refused.</param>
    /// <exception cref="FaultException">The content is neither, or a part is not offered here.</exception>
    public static string Read(WireValue content, bool refusesOthers)
    {
        const string Expected = "a string or a list of parts";
        if (content.Needed(Expected).IsText)
            return content.Text()!;
        return string.Join('\n', content.Items(MostParts, Expected).Select(part => Part(part, refusesOthers)));
    }

    /// <summary>The text of one part.</summary>
    /// <param name="part">An object with its kind.</param>
    /// <param name="refusesOthers">Whether a part that is no text is refused.</param>
    /// <exception cref="FaultException">The part is not offered here.</exception>
    public static string Part(WireValue part, bool refusesOthers)
    {
        WireValue type = part.Needed("a part")["type"];
        string kind = type.Needed("the kind of the part").Text()!;
        if (kind is "text" or "input_text" or "output_text")
            return part["text"].Needed("the text of the part").Text()!;
        if (kind is "refusal")
            return part["refusal"].Needed("the text of the part").Text()!;
        if (refusesOthers)
            throw part.Wrong(
                "invalid_value",
                $"'{part.Place}' is of the type {Fault.Quote(kind)}, and this model reads text only."
            );
        return $"[{Word(kind)} omitted: the model reads text]";
    }

    private static string Word(string kind) =>
        kind.Contains("image", StringComparison.Ordinal) ? "image"
        : kind.Contains("audio", StringComparison.Ordinal) ? "sound"
        : "file";
}
