namespace GptOss.Harmony;

/// <summary>What follows the messages.</summary>
internal enum RenderForm
{
    /// <summary>The prompt of the next message: <c>&lt;|start|&gt;</c> and its role.</summary>
    Completion,

    /// <summary>Nothing.</summary>
    Conversation,

    /// <summary>Nothing; a last message on <c>final</c> ends with <c>&lt;|return|&gt;</c>.</summary>
    Training,
}

/// <summary>What becomes of reasoning that is no longer needed; see <see cref="AnalysisRule"/>.</summary>
internal enum AnalysisMode
{
    /// <summary>The reasoning of finished turns is left out.</summary>
    DropFinished,

    KeepAll,

    /// <summary>As the reference library does it.</summary>
    HarmonyExact,
}

internal sealed record RenderOptions
{
    public RenderForm Form { get; init; }

    /// <summary>Who speaks next, in <see cref="RenderForm.Completion"/>.</summary>
    public HarmonyRole NextRole { get; init; } = HarmonyRole.Assistant;

    public AnalysisMode Analysis { get; init; }

    /// <summary>
    /// Whether the recipient of a call stands behind its channel, where the model writes it. Off, it stands behind the
    /// role, where the reference library writes it.
    /// </summary>
    public bool RecipientBehindChannel { get; init; }

    /// <summary>
    /// Whether functions' schemas go through <see cref="SchemaCleaner"/>. Off, they are written as the reference
    /// writes them, which leaves out most of what .NET's schemas use.
    /// </summary>
    public bool CleanSchemas { get; init; }

    /// <summary>
    /// Told in a sentence, which names the function, where a schema is too deep or too big to be shown whole.
    /// </summary>
    public Action<string>? Shortened { get; init; }

    /// <summary>
    /// What can only be longer is refused before anything is encoded, since a long text takes seconds and a gigabyte;
    /// null refuses nothing.
    /// </summary>
    public int? ContextLength { get; init; }

    /// <summary>Ends the rendering, which takes seconds for a long history.</summary>
    public CancellationToken Cancellation { get; init; }
}
