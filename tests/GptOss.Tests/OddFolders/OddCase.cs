namespace GptOss.Tests.OddFolders;

/// <summary>One folder of the table: what it is made of, by which change, and what the tool must say to it.</summary>
/// <param name="Name">Tells the change.</param>
/// <param name="Base">The sound model that is changed.</param>
/// <param name="Make">Changes a copy of that model.</param>
/// <param name="Words">What the refusal must hold: the file, the tensor or field, what was expected, what was found.
/// Without a word the folder must load, with the logits of the base.</param>
internal sealed record OddCase(string Name, OddBase Base, Action<OddFolder> Make, params string[] Words)
{
    /// <summary>Whether the folder must load.</summary>
    public bool Loads => Words.Length == 0;

    /// <summary>All cases by their groups.</summary>
    public static IReadOnlyDictionary<string, IEnumerable<OddCase>> Groups { get; } =
        new Dictionary<string, IEnumerable<OddCase>>
        {
            ["headers"] = HeaderCases.All,
            ["index"] = IndexCases.All,
            ["config"] = ConfigCases.All,
            ["tokenizer"] = TokenizerCases.All,
            ["values"] = ValueCases.All,
            ["file system"] = FileCases.All,
            ["sound oddities"] = SoundCases.All,
            ["GGUF"] = GgufCases.All,
            ["adapters"] = AdapterCases.All,
            ["other folders"] = ForeignCases.All,
        };
}
