using System.Globalization;

namespace GptOss.Cli.Connect;

/// <summary>A program that talks to the server, and where its settings belong.</summary>
/// <param name="Name">What a person types for it.</param>
/// <param name="File">The settings, with names such as <c>@MODEL@</c> in the places of values.</param>
/// <param name="Place">Where the settings belong, as a sentence.</param>
internal sealed record KnownClient(string Name, string File, string Place)
{
    /// <summary>All that are known, in the order in which they are listed.</summary>
    public static IReadOnlyList<KnownClient> All { get; } =
    [
        new(
            "codex",
            "codex.toml",
            "These lines belong into ~/.codex/config.toml, what 'codex-models' prints beside it."
        ),
        new("codex-models", "codex-models.json", "This belongs into ~/.codex/gptoss-models.json."),
        new(
            "claude",
            "claude.json",
            "This belongs into ~/.claude/settings.json, or the project's .claude/settings.json."
        ),
        new("opencode", "opencode.json", "This belongs into the project's opencode.json, or ~/.config/opencode/."),
        new("copilot", "copilot.sh", "These are variables of the shell in which copilot is started."),
        new("continue", "continue.yaml", "This belongs into ~/.continue/config.yaml."),
        new("cline", "cline.sh", "This command tells Cline once. Its extension asks for the same in its settings."),
        new("qwen", "qwen.json", "This belongs into ~/.qwen/settings.json."),
        new(
            "vscode",
            "vscode.json",
            "This belongs into chatLanguageModels.json, which 'Chat: Manage Language Models' opens."
        ),
        new("openwebui", "openwebui.sh", "These are variables of the shell in which 'open-webui serve' is started."),
        new("python", "python.py", "This is a program: python hello.py."),
        new("js", "js.mjs", "This is a program: node hello.mjs."),
        new("dotnet", "dotnet.txt", "This is a program: dotnet run hello.cs."),
    ];

    /// <summary>The settings for a server.</summary>
    public string SettingsFor(ServerAddress server)
    {
        using Stream resource = typeof(KnownClient).Assembly.GetManifestResourceStream($"Connect.Settings.{File}")!;
        using var reader = new StreamReader(resource);
        return reader
            .ReadToEnd()
            .Replace("@URL@", server.Url, StringComparison.Ordinal)
            .Replace("@MODEL@", server.Model, StringComparison.Ordinal)
            .Replace("@CONTEXT@", Number(server.Context), StringComparison.Ordinal)
            .Replace("@OUTPUT@", Number(server.Output), StringComparison.Ordinal)
            .Replace("@PROMPT@", Number(server.Context - server.Output), StringComparison.Ordinal);
    }

    private static string Number(int tokens) => tokens.ToString(CultureInfo.InvariantCulture);
}
