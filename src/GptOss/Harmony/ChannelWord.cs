namespace GptOss.Harmony;

/// <summary>
/// The word behind <c>&lt;|channel|&gt;</c> in a header, and the channel that the model meant by it: <c>comment</c> is
/// <c>commentary</c>, and so is <c>commentaryx</c>.
/// </summary>
/// <param name="Name">The channel that was meant; null if none can be told.</param>
/// <param name="Word">The word as the model wrote it.</param>
/// <param name="Glued">Letters that follow a channel's name without a blank: <c>x</c> in <c>finalx</c>.</param>
internal readonly record struct ChannelWord(string? Name, string Word, string Glued)
{
    private const int ShortestBeginning = 3;

    /// <summary>Takes the word off the beginning of the text, up to white space, <c>&lt;</c> or <c>to=</c>.</summary>
    public static ChannelWord Take(ref string text)
    {
        string trimmed = text.TrimStart();
        int length = HeaderText.Length(trimmed, 0, "<");
        int recipient = trimmed.AsSpan(0, length).IndexOf("to=");
        string word = trimmed[..(recipient >= 0 ? recipient : length)];
        text = trimmed[word.Length..];

        const StringComparison AnyCase = StringComparison.OrdinalIgnoreCase;
        string? longer = ChannelNames.All.FirstOrDefault(name => word.StartsWith(name, AnyCase));
        string? name = longer
            ?? (
                word.Length < ShortestBeginning
                    ? null
                    : ChannelNames.All.FirstOrDefault(name => name.StartsWith(word, AnyCase))
            );
        return new ChannelWord(name, word, longer is null ? "" : word[longer.Length..]);
    }

    /// <summary>
    /// The text of a header that never came to <c>&lt;|message|&gt;</c>, read as content: what is glued to the
    /// channel's name, and the rest.
    /// </summary>
    /// <remarks>A single letter behind the name, or a lone word that is no channel, counts as noise.</remarks>
    /// <param name="rest">The text of the header behind the word.</param>
    public string Rest(string rest)
    {
        bool isFollowed = !string.IsNullOrWhiteSpace(rest);
        if (Name is null)
            return isFollowed ? Word + rest : "";
        bool isText = isFollowed || Glued.Length > 1 || (Glued.Length == 1 && char.IsAsciiDigit(Glued[0]));
        return isText ? Glued + rest : "";
    }
}
