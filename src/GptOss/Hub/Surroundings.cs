namespace GptOss.Hub;

/// <summary>What decides where files lie: the variables of the environment and the home of the user.</summary>
/// <param name="variable">Gives the value of a variable, or null.</param>
/// <param name="home">The user's own folder.</param>
internal sealed class Surroundings(Func<string, string?> variable, string home)
{
    public string Home { get; } = home;

    public static Surroundings OfProcess() =>
        new(
            Environment.GetEnvironmentVariable,
            Environment.GetFolderPath(
                Environment.SpecialFolder.UserProfile,
                Environment.SpecialFolderOption.DoNotVerify
            )
        );

    /// <summary>The value of a variable; null where it is not set, or empty.</summary>
    public string? this[string name] => variable(name) is { } value && value.Trim().Length > 0 ? value.Trim() : null;

    /// <summary>Whether a switch is on: 1, ON, YES or TRUE, as Hugging Face's tools read it.</summary>
    public bool IsOn(string name) => this[name]?.ToUpperInvariant() is "1" or "ON" or "YES" or "TRUE";

    /// <summary>The folder that a variable names; null where it names none.</summary>
    public string? Folder(string name) =>
        this[name] switch
        {
            null => null,
            "~" => Home,
            ['~', '/', .. var rest] => Path.Join(Home, rest),
            { } path => path,
        };

    /// <summary>The folder for caches of the user, as the desktops of Linux have it.</summary>
    public string Cache => Folder("XDG_CACHE_HOME") ?? Path.Join(Home, ".cache");
}
