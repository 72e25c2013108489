using GptOss.Cli.Answer;
using GptOss.Cli.Shell;

namespace GptOss.Cli.Chat;

/// <summary>
/// The commands of <c>gptoss chat</c>, and what they change: the conversation and the view of the reasoning.
/// </summary>
internal sealed class SlashCommands
{
    private readonly Screen _screen;
    private readonly bool _isPerson;
    private readonly IReadOnlyList<SlashCommand> _all;

    /// <param name="screen">The screen on which commands report.</param>
    /// <param name="conversation">The conversation at the beginning.</param>
    /// <param name="reasoning">How reasoning appears at the beginning.</param>
    /// <param name="stats">Makes the figures of <c>/stats</c>.</param>
    /// <param name="isPerson">Whether a person types: text out of a pipe may be anybody's, and writes no file.</param>
    public SlashCommands(
        Screen screen,
        Conversation conversation,
        ReasoningView reasoning,
        Func<Sheet> stats,
        bool isPerson
    )
    {
        (_screen, Conversation, Reasoning, _isPerson) = (screen, conversation, reasoning, isPerson);
        _all =
        [
            new("/effort", "low|medium|high", "how long the model thinks", SetEffort),
            new("/system", "TEXT|none", "instructions for the model", SetSystem),
            new("/tools", "on|off", "functions that the model may call", SetTools),
            new("/fold", "", "folds the reasoning, or unfolds it", _ => Fold()),
            new("/reasoning", "", "shows the reasoning of the last answer", _ => ShowReasoning()),
            new("/stats", "", "tokens, speed and context", _ => _screen.Write(stats().Plain())),
            new("/save", "FILE", "writes the conversation into a file", Save),
            new("/load", "FILE", "goes on with a saved conversation", Load),
            new("/clear", "", "forgets what was said", _ => Clear()),
            new("/help", "", "shows this", _ => ShowHelp()),
            new("/exit", "", "ends; so does the end of the input", _ => IsOver = true),
        ];
    }

    public Conversation Conversation { get; private set; }

    public ReasoningView Reasoning { get; private set; }

    /// <summary>Whether the person wants to leave.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Obeys a line that begins with a slash.</summary>
    /// <exception cref="UsageException">There is no such command, or it cannot take its argument.</exception>
    /// <exception cref="IOException">A file cannot be read or written.</exception>
    public void Run(string line)
    {
        string[] words = line.Trim()
            .Split((char[]?)null, 2, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        SlashCommand command = _all.FirstOrDefault(command => command.Name == words[0])
            ?? throw new UsageException(
                $"There is no command {words[0]}. /help lists them; // begins a text with a slash."
            );
        string argument = words.Length > 1 ? words[1] : "";
        if (command.Argument.Length == 0 && argument.Length > 0)
            throw new UsageException($"{command.Name} takes nothing after it, but got '{argument}'.");
        command.Obey(argument);
    }

    private void SetEffort(string effort)
    {
        if (effort.Length > 0)
            Conversation.Effort = AnswerOptions.Effort(effort) is null
                ? throw new UsageException($"/effort takes low, medium or high, but got '{effort}'.")
                : effort;
        _screen.WriteLine($"Effort: {Conversation.Effort}");
    }

    private void SetSystem(string text)
    {
        if (text.Length > 0)
            Conversation.System = text == "none" ? null : text;
        _screen.WriteLine($"System: {Conversation.System ?? "none"}");
    }

    private void SetTools(string state)
    {
        if (state.Length > 0)
            Conversation.HasTools = state is "on" or "off"
                ? state == "on"
                : throw new UsageException($"/tools takes on or off, but got '{state}'.");
        _screen.WriteLine($"Tools: {(Conversation.HasTools ? "on" : "off")}");
        foreach (var tool in ChatTools.All)
            _screen.WriteLine($"  {tool.Name}: {tool.Description}");
    }

    private void Fold()
    {
        Reasoning = Reasoning == ReasoningView.Shown ? ReasoningView.Folded : ReasoningView.Shown;
        _screen.WriteLine(
            Reasoning == ReasoningView.Shown ? "Reasoning: unfolded" : "Reasoning: folded, /reasoning shows it"
        );
    }

    private void ShowReasoning()
    {
        string reasoning = Conversation.LastReasoning();
        _screen.WriteDimmed(reasoning.Length > 0 ? reasoning : "The last answer has no reasoning.");
        _screen.WriteLine();
    }

    private void Save(string path)
    {
        if (!_isPerson)
            throw new UsageException(
                "/save is obeyed at a terminal only: text that comes through a pipe writes no files."
            );
        ConversationFile.Save(Given("/save", path), Conversation);
        _screen.WriteLine($"Saved: {Conversation.Messages.Count} messages");
    }

    private void Load(string path)
    {
        Conversation = ConversationFile.Load(Given("/load", path));
        _screen.WriteLine($"Loaded: {Conversation.Messages.Count} messages");
    }

    private void Clear()
    {
        Conversation.Messages.Clear();
        _screen.WriteLine("Cleared");
    }

    private void ShowHelp()
    {
        int width = _all.Max(command => command.Form.Length);
        foreach (SlashCommand command in _all)
            _screen.WriteLine($"{command.Form.PadRight(width)}  {command.Meaning}");
        _screen.WriteLine("A line \"\"\" begins and ends a text of several lines. Ctrl+C stops an answer.");
    }

    private static string Given(string command, string path) =>
        path.Length > 0 ? path : throw new UsageException($"{command} needs the name of a file.");

    private sealed record SlashCommand(string Name, string Argument, string Meaning, Action<string> Obey)
    {
        public string Form => Argument.Length > 0 ? $"{Name} {Argument}" : Name;
    }
}
