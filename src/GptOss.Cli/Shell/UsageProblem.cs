using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;

namespace GptOss.Cli.Shell;

/// <summary>Turns what is wrong with a command line into one line that says what to do.</summary>
internal static partial class UsageProblem
{
    /// <exception cref="UsageException">The command line is wrong.</exception>
    public static void ThrowIfAny(ParseResult parsed)
    {
        if (parsed.Action is not HelpAction && Describe(parsed) is { } problem)
            throw new UsageException($"{problem} Try '{Path(parsed.CommandResult)} --help'.");
    }

    private static string? Describe(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        if (Swallowed(parsed) is { } hungry)
            return $"{hungry.Name} needs a value{Form(hungry)}.";
        if (UnknownOption(parsed) is { } option)
            return $"There is no option {option}.{Suggest(option, OptionNames(parsed.CommandResult))}"
                + (command.Arguments.Count > 0 ? " To pass it as text, put -- before it." : "");
        if (parsed.UnmatchedTokens is [string stranger, ..])
            return command.Subcommands.Count > 0
                ? $"There is no command '{stranger}'.{Suggest(stranger, command.Subcommands.Select(c => c.Name))}"
                : $"'{stranger}' is one argument too many. Text of several words belongs in quotation marks.";
        if (parsed.Errors is not [ParseError error, ..])
            return null;
        return error.SymbolResult switch
        {
            OptionResult { IdentifierTokenCount: > 1, Option.Arity.MaximumNumberOfValues: 1 } repeated =>
                $"{repeated.Option.Name} is given {repeated.IdentifierTokenCount} times, but takes one value.",
            CommandResult when command.Subcommands.Count > 0 =>
                $"A command is needed: {string.Join(", ", command.Subcommands.Select(c => c.Name))}.",
            ArgumentResult { Tokens.Count: 0, Argument: { Arity.MinimumNumberOfValues: > 0 } missing } =>
                $"{missing.Name} is needed. {missing.Description}",
            OptionResult { IdentifierTokenCount: > 0, Tokens.Count: 0, Option.Arity.MinimumNumberOfValues: > 0 } bare =>
                $"{bare.Option.Name} needs a value{Form(bare.Option)}.",
            OptionResult { IdentifierTokenCount: 0, Option.Required: true } missing =>
                $"{missing.Option.Name} is needed{Form(missing.Option)}.",
            OptionResult { Option: { } limited, Tokens: [var given, ..] }
                when limited.HelpName is { } names && names.Contains('|', StringComparison.Ordinal) =>
                $"{limited.Name} should be {Choice(names)}, but is '{given.Value}'.",
            _ => error.Message,
        };
    }

    private static string Form(Option option) =>
        option.HelpName is { } name
            ? name.Contains('|', StringComparison.Ordinal)
                ? $": {Choice(name)}"
                : $", as in {option.Name} {name}"
            : "";

    /// <summary>Writes the choices "a|b|c" as the words "a, b or c".</summary>
    private static string Choice(string names)
    {
        string[] words = names.Split('|');
        return words.Length < 2 ? names : $"{string.Join(", ", words[..^1])} or {words[^1]}";
    }

    /// <summary>
    /// The parser takes an option that it does not know for an argument, so a misspelt one would become the prompt.
    /// </summary>
    private static string? UnknownOption(ParseResult parsed) =>
        parsed
            .Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash)
            .Where(token => token.Type == TokenType.Argument && LooksLikeOption().IsMatch(token.Value))
            .Select(token => token.Value.Split('=')[0])
            .FirstOrDefault();

    /// <summary>
    /// An option without its value takes the option behind it for one, which is then no value of anybody's.
    /// </summary>
    private static Option? Swallowed(ParseResult parsed)
    {
        Dictionary<string, Option> options = [];
        for (
            SymbolResult? result = parsed.CommandResult;
            result is CommandResult { Command: var command };
            result = result.Parent
        )
            foreach (Option option in command.Options)
            foreach (string name in (string[])[option.Name, .. option.Aliases])
                options.TryAdd(name, option);
        for (int i = 1; i < parsed.Tokens.Count && parsed.Tokens[i].Type != TokenType.DoubleDash; i++)
            if (
                parsed.Tokens[i].Type == TokenType.Argument
                && options.ContainsKey(parsed.Tokens[i].Value.Split('=')[0])
                && parsed.Tokens[i - 1].Type == TokenType.Option
                && options.TryGetValue(parsed.Tokens[i - 1].Value, out Option? before)
            )
                return before;
        return null;
    }

    [GeneratedRegex("^--?[A-Za-z][A-Za-z0-9-]*(=.*)?$", RegexOptions.Singleline)]
    private static partial Regex LooksLikeOption();

    private static IEnumerable<string> OptionNames(SymbolResult? result)
    {
        for (; result is not null; result = result.Parent)
        {
            if (result is CommandResult { Command: var command })
            {
                foreach (Option option in command.Options)
                    yield return option.Name;
            }
        }
    }

    private static string Suggest(string word, IEnumerable<string> known)
    {
        // A suggestion may differ in two letters; with more it would be a random word.
        const int Farthest = 2;
        string? nearest = known.MinBy(name => Distance(word, name));
        return nearest is not null && Distance(word, nearest) <= Farthest ? $" Did you mean {nearest}?" : "";
    }

    /// <summary>Letters to insert, delete or replace to make one word of the other (Levenshtein).</summary>
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 0; i < a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i + 1;
            for (int j = 0; j < b.Length; j++)
            {
                int replaced = diagonal + (a[i] == b[j] ? 0 : 1);
                diagonal = row[j + 1];
                row[j + 1] = Math.Min(replaced, 1 + Math.Min(row[j], diagonal));
            }
        }
        return row[^1];
    }

    private static string Path(SymbolResult? result)
    {
        var names = new Stack<string>();
        for (; result is not null; result = result.Parent)
        {
            if (result is CommandResult { Command: var command })
                names.Push(command.Name);
        }
        return string.Join(' ', names);
    }
}
