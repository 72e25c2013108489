using System.CommandLine;
using System.Text.Json;
using GptOss.Cli.Shell;
using Microsoft.Extensions.AI;

namespace GptOss.Cli.Run;

/// <summary>The options of <c>run</c> that hold the answer to a form: at most one of them is given.</summary>
internal sealed class FormOptions
{
    private readonly Option<string?> _schema = new("--schema")
    {
        Description = "Holds the answer to the JSON Schema in this file; the model is shown it.",
        HelpName = "FILE",
    };

    private readonly Option<string?> _choices = new("--choices")
    {
        Description = "Holds the answer to one of these texts, which commas part.",
        HelpName = "A,B,C",
    };

    private readonly Option<string?> _regex = new("--regex")
    {
        Description = "Holds the whole answer to a regular expression of ECMAScript.",
        HelpName = "PATTERN",
    };

    private readonly Option<string?> _grammar = new("--grammar")
    {
        Description = "Holds the answer to the GBNF grammar in this file.",
        HelpName = "FILE",
    };

    public IReadOnlyList<Option> All => [_schema, _choices, _regex, _grammar];

    /// <summary>Reads the form, so that a wrong one is told before a model is loaded.</summary>
    /// <exception cref="UsageException">Two forms are given.</exception>
    /// <exception cref="SchemaException">The schema, pattern or grammar cannot be held to.</exception>
    public AnswerForm Read(ParseResult parsed)
    {
        Option[] given = [.. All.Where(option => parsed.GetResult(option) is not null)];
        if (given.Length > 1)
            throw new UsageException($"{given[0].Name} and {given[1].Name} exclude each other. Give one of them.");
        try
        {
            return Form(parsed);
        }
        catch (SchemaException error)
        {
            bool isFile = given[0] == _schema || given[0] == _grammar;
            string file = isFile ? " " + parsed.GetValue((Option<string?>)given[0]) : "";
            throw new SchemaException($"{given[0].Name}{file}: {error.Message}", error.Pointer, error.Keyword);
        }
    }

    private AnswerForm Form(ParseResult parsed)
    {
        if (parsed.GetValue(_schema) is { } schemaFile)
        {
            JsonElement schema = Schema(schemaFile);
            GptOssGrammar.JsonSchema(schema);
            return new AnswerForm(ChatResponseFormat.ForJsonSchema(schema), null);
        }
        GptOssGrammar? grammar =
            parsed.GetValue(_choices) is { } choices
                ? GptOssGrammar.Choices(choices.Split(',', StringSplitOptions.TrimEntries))
            : parsed.GetValue(_regex) is { } pattern ? GptOssGrammar.Regex(pattern)
            : parsed.GetValue(_grammar) is { } file ? GptOssGrammar.Gbnf(Text(_grammar, file))
            : null;
        return new AnswerForm(null, grammar);
    }

    private JsonElement Schema(string file)
    {
        try
        {
            return JsonElement.Parse(Text(_schema, file)); // as text, since some editors put a mark before it
        }
        catch (JsonException error)
        {
            throw new UsageException($"{file} is no JSON: {error.Message}");
        }
    }

    private static string Text(Option option, string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new IOException($"{option.Name} should name a file that can be read: {e.Message}");
        }
    }
}

/// <summary>What the answer is held to: a schema that the model is shown, or a grammar, or neither.</summary>
/// <param name="Format">The schema as Microsoft.Extensions.AI has it; null for none.</param>
/// <param name="Grammar">The grammar of the answer; null for none.</param>
internal readonly record struct AnswerForm(ChatResponseFormat? Format, GptOssGrammar? Grammar);
