using System.Globalization;
using System.Text;

namespace GptOss.Harmony;

/// <summary>
/// Knows which function or built-in tool the recipient of a call means, even where the model has written its name in
/// part, and makes the callers' names of functions fit for the format.
/// </summary>
/// <param name="functions">The functions that are offered, without their namespace.</param>
internal sealed class ToolNames(IEnumerable<string> functions)
{
    /// <summary>The namespace and the dot before a function's name in a recipient.</summary>
    public const string FunctionsPrefix = "functions.";

    /// <summary>The recipient that means nobody in particular.</summary>
    public const string Everyone = "all";

    private readonly HashSet<string> _functions = [.. functions];

    /// <summary>For parsers where no functions are offered, or where they are not known.</summary>
    public static ToolNames None { get; } = new([]);

    /// <summary>Whether a function of this bare name is offered.</summary>
    public bool Offers(string function) => _functions.Contains(function);

    /// <summary>
    /// Whether the word names an offered function, with its namespace or without, or a built-in tool.
    /// </summary>
    public bool IsTool(string word) => Offers(Bare(word)) || BuiltInTools.IsBuiltIn(word);

    /// <summary>The recipient that the model meant; null for no tool at all.</summary>
    /// <remarks>
    /// A bare name, or one whose namespace is doubled, becomes <c>functions.</c> and the name if such a function is
    /// offered. A content type glued to the name, as in <c>get_weatherjson</c>, is cut off if only the rest is offered.
    /// The namespace <c>functions</c> before a built-in tool is dropped. An unknown name stays as it is.
    /// </remarks>
    public string? Meant(string recipient)
    {
        if (recipient is "" or Everyone or "assistant" or "user")
            return null;
        if (Offers(recipient))
            return FunctionsPrefix + recipient;
        string bare = Bare(recipient);
        if (Offers(bare))
            return FunctionsPrefix + bare;
        if (Offers(Bare(bare)))
            return FunctionsPrefix + Bare(bare);
        if (BuiltInTools.IsBuiltIn(bare))
            return bare;
        foreach (string type in ContentTypes)
        {
            if (bare.EndsWith(type, StringComparison.Ordinal) && Offers(bare[..^type.Length]))
                return FunctionsPrefix + bare[..^type.Length];
        }
        return recipient;
    }

    /// <summary>Content types that the model writes without a marker.</summary>
    public static IReadOnlyList<string> ContentTypes { get; } = ["json", "code", "text"];

    /// <summary>Turns names into TypeScript identifiers, all different, in the order of the names.</summary>
    /// <remarks>
    /// Blanks, hyphens and dots become <c>_</c>; other characters that no identifier has are left out; <c>_</c> is put
    /// before a digit at the beginning, and <c>_2</c>, <c>_3</c> … behind an identifier that another name has taken. A
    /// name that is an identifier already stays as it is.
    /// </remarks>
    public static IReadOnlyList<string> Identifiers(IReadOnlyList<string> names)
    {
        var taken = new HashSet<string>(names.Where(name => Identifier(name) == name));
        var own = new HashSet<string>();
        // The last number put behind each identifier, so that a thousand names which become the same identifier do not
        // each count from 2.
        var next = new Dictionary<string, int>();
        var identifiers = new string[names.Count];
        for (int i = 0; i < identifiers.Length; i++)
        {
            string plain = Identifier(names[i]);
            string identifier = plain;
            bool keeps = plain == names[i] && own.Add(plain);
            while (!keeps && !taken.Add(identifier))
            {
                int number = next[plain] = next.GetValueOrDefault(plain, 1) + 1;
                identifier = string.Create(CultureInfo.InvariantCulture, $"{plain}_{number}");
            }
            identifiers[i] = identifier;
        }
        return identifiers;
    }

    private static string Identifier(string name)
    {
        var identifier = new StringBuilder(name.Length + 1);
        foreach (char c in name)
        {
            if (char.IsLetterOrDigit(c) || c is '_' or '$')
                identifier.Append(c);
            else if (char.IsWhiteSpace(c) || c is '-' or '.')
                identifier.Append('_');
        }
        if (identifier.Length == 0 || char.IsAsciiDigit(identifier[0]))
            identifier.Insert(0, '_');
        return identifier.ToString();
    }

    private static string Bare(string word) =>
        word.StartsWith(FunctionsPrefix, StringComparison.Ordinal) ? word[FunctionsPrefix.Length..] : word;
}
