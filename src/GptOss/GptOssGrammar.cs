using System.Text.Json;
using GptOss.Constraints;
using GptOss.Constraints.Gbnf;
using GptOss.Constraints.Regular;
using GptOss.Constraints.Schemas;

namespace GptOss;

/// <summary>
/// What the final answer of a request is held to: the values of a JSON Schema, the texts of a regular expression, a
/// list of texts, or the texts of a grammar. Given through <see cref="GptOssRequestOptions.Grammar"/>.
/// </summary>
/// <remarks>
/// Immutable and thread-safe; made once and used for any number of requests. What is wrong with it is thrown where it
/// is made. The model is not shown it: the prompt should ask for what it allows.
/// </remarks>
public sealed class GptOssGrammar
{
    private readonly Grammar _machine;

    private GptOssGrammar(string what, string key, Rule root, bool isCompact = false)
    {
        (Key, Root, IsCompact) = (key, root, isCompact);
        _machine = Compiled(what, () => new Grammar(root, isCompact));
    }

    /// <summary>What the grammar was made of, so that equal keys mean equal grammars.</summary>
    internal string Key { get; }

    /// <summary>The rule of the whole text.</summary>
    internal Rule Root { get; }

    /// <summary>Whether the texts are JSON.</summary>
    internal bool IsJson { get; private init; }

    /// <summary>Whether no white space comes between the tokens of JSON.</summary>
    internal bool IsCompact { get; }

    /// <summary>JSON pointers to keywords that were left out.</summary>
    internal IReadOnlyList<string> Relaxed { get; private init; } = [];

    /// <summary>The values that fit a JSON Schema, as JSON. In the order of the schema, unless the options say
    /// otherwise.</summary>
    /// <param name="schema">A schema of draft 4, 6, 7, 2019-09 or 2020-12.</param>
    /// <param name="options">How it is read; null for the defaults.</param>
    /// <exception cref="SchemaException">The schema cannot be held to; the message says where and why.</exception>
    public static GptOssGrammar JsonSchema(JsonElement schema, SchemaOptions? options = null)
    {
        options ??= SchemaOptions.Default;
        CompiledSchema compiled = SchemaCompiler.Compile(
            schema,
            options,
            PropertyOrder.Schema,
            mustBeObject: false,
            new CompileBudget()
        );
        string key = $"schema {options.Objects} {options.Order} {options.Compact} {options.Relax} {TextOf(schema)}";
        return new("The schema", key, compiled.Root, options.Compact) { IsJson = true, Relaxed = compiled.Relaxed };
    }

    /// <summary>The texts that a regular expression matches from their first to their last character.</summary>
    /// <param name="pattern">
    /// A pattern of ECMAScript with the flag u. Look-ahead is read directly behind <c>^</c>; look-behind, back
    /// references and <c>\b</c> are refused.
    /// </param>
    /// <exception cref="SchemaException">The pattern is wrong, not supported, too large, or matches no
    /// text.</exception>
    public static GptOssGrammar Regex(string pattern)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        return new(
            "The pattern",
            "regex " + pattern,
            Compiled("The pattern", () => Text(Patterns.Whole(pattern, new CompileBudget()), "The pattern"))
        );
    }

    /// <summary>The given texts, as they are.</summary>
    /// <param name="texts">At least one, none of them empty. One may begin as another does.</param>
    /// <exception cref="SchemaException">There is no text, or one is empty, or they are too many.</exception>
    public static GptOssGrammar Choices(params IEnumerable<string> texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        string[] all = [.. texts];
        if (all.Length == 0)
            throw new SchemaException("The choices are none. Give at least one text.");
        if (all.Any(string.IsNullOrEmpty))
            throw new SchemaException("One of the choices is empty. Give each at least one character.");
        long characters = all.Sum(text => (long)text.Length);
        if (all.Length > MostChoices || characters > MostCharacters)
            throw new SchemaException(
                $"The choices are {all.Length:N0} texts of {characters:N0} characters, and the limits are "
                    + $"{MostChoices:N0} and {MostCharacters:N0}."
            );
        if (!all.All(TextTrie.IsWellFormed))
            throw new SchemaException("One of the choices has half of a surrogate pair, which is no text.");
        return new(
            "The choices",
            "choices " + string.Concat(all.Select(text => $"{text.Length}:{text}")),
            Compiled("The choices", () => Text(CodePointDfa.Of(all), "The choices"))
        );
    }

    /// <summary>The texts of the rule <c>root</c> of a grammar in GBNF, as llama.cpp's users write it.</summary>
    /// <param name="grammar">
    /// Rules <c>name ::= …</c> of texts, classes, groups, alternatives and repetitions. Left recursion, tokens in angle
    /// brackets, and grammars without a finite text are refused.
    /// </param>
    /// <exception cref="SchemaException">The grammar is wrong; the message has line and column.</exception>
    public static GptOssGrammar Gbnf(string grammar)
    {
        ArgumentNullException.ThrowIfNull(grammar);
        return new(
            "The grammar",
            "gbnf " + grammar,
            Compiled("The grammar", () => GbnfGrammar.Compile(grammar, new CompileBudget()))
        );
    }

    /// <summary>Whether a whole text fits: what the engine would let a model write.</summary>
    /// <exception cref="SchemaException">The text can be read in more ways than are followed.</exception>
    public bool Accepts(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return ConstraintState.Accepts(_machine, text);
    }

    private const int MostChoices = 10_000,
        MostCharacters = 1 << 20;

    // What no keyword reads is not looked at before, and a JsonElement may hold bytes that are no text.
    private static string TextOf(JsonElement schema)
    {
        try
        {
            return schema.GetRawText();
        }
        catch (InvalidOperationException)
        {
            throw SchemaErrors.Wrong("", "well-formed text");
        }
    }

    private static Rule Text(CodePointDfa language, string what)
    {
        if (language.IsEmpty)
            throw new SchemaException($"{what}: no text fits.");
        var rule = new Rule(what);
        rule.Alternatives.Add(new TextShape(language, IsQuoted: false));
        return rule;
    }

    private static T Compiled<T>(string what, Func<T> compile)
    {
        try
        {
            return compile();
        }
        catch (LimitException limit)
        {
            throw new SchemaException($"{what} {limit.Message}.");
        }
        catch (PatternException error)
        {
            throw new SchemaException($"{what}, {error.Message}.");
        }
        catch (GbnfException error)
        {
            throw new SchemaException($"{what}, {error.Message}.");
        }
    }
}
