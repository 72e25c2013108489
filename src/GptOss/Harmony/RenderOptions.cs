namespace GptOss.Harmony;

/// <summary>The tokens that follow a conversation's last message.</summary>
internal enum RenderForm
{
    /// <summary>The beginning of the next message follows: <c>&lt;|start|&gt;</c> and its role.</summary>
    Completion,

    /// <summary>Nothing follows the last message.</summary>
    Conversation,

    /// <summary>Nothing follows, and a last message on <c>final</c> ends with <c>&lt;|return|&gt;</c>.</summary>
    Training,
}

/// <summary>Which earlier reasoning a prompt still shows to the model; see <see cref="AnalysisRule"/>.</summary>
internal enum AnalysisMode
{
    /// <summary>The reasoning of finished turns is left out.</summary>
    DropFinished,

    /// <summary>All reasoning is shown again.</summary>
    KeepAll,

    /// <summary>The rule of OpenAI's harmony library, to the letter.</summary>
    HarmonyExact,
}

/// <summary>
/// The choices that <see cref="HarmonyRenderer"/> has when it turns a conversation into token ids: what follows the
/// last message, which reasoning stays, how schemas are written, how long the result may be.
/// </summary>
internal sealed record RenderOptions
{
    /// <summary>The tokens that follow the last message.</summary>
    public RenderForm Form { get; init; }

    /// <summary>The role that speaks next, in <see cref="RenderForm.Completion"/>.</summary>
    public HarmonyRole NextRole { get; init; } = HarmonyRole.Assistant;

    /// <summary>Which earlier reasoning is written.</summary>
    public AnalysisMode Analysis { get; init; }

    /// <summary>
    /// Whether the recipient of a call stands behind its channel, where the model writes it. Off, it stands behind the
    /// role, where OpenAI's harmony library writes it.
    /// </summary>
    public bool RecipientBehindChannel { get; init; }

    /// <summary>
    /// Whether functions' schemas go through <see cref="SchemaCleaner"/>. Off, they are written as OpenAI's harmony
    /// library writes them, which leaves out most of what .NET's schemas use.
    /// </summary>
    public bool CleanSchemas { get; init; }

    /// <summary>
    /// Called with a sentence that names the function, where a schema is too deep or too big to be shown whole; null
    /// calls nobody.
    /// </summary>
    public Action<string>? Shortened { get; init; }

    /// <summary>
    /// The most tokens that the result may have; null for any number. A conversation that must have more is refused
    /// before it is encoded, since encoding a very long text takes seconds and a gigabyte.
    /// </summary>
    public int? ContextLength { get; init; }

    /// <summary>Ends the rendering, which takes seconds for a long history.</summary>
    public CancellationToken Cancellation { get; init; }
}
