using System.Diagnostics;
using System.Text;
using System.Text.Json;
using GptOss.Constraints;
using GptOss.Constraints.Schemas;
using GptOss.Harmony;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>
/// Finds in a request what its answer is held to, and compiles it. What was compiled for earlier requests is kept, so
/// that tools that come with every turn are compiled once. Thread-safe.
/// </summary>
internal sealed class ConstraintReader
{
    private const int MostFunctions = 1_000,
        MostNameBytes = 64 << 10;

    private static readonly JsonElement NoParameters = JsonElement.Parse("""{"type":"object","properties":{}}"""),
        Anything = JsonElement.Parse("""{"type":"object"}""");

    // One rule for all functions, so that a machine walks it once for all of them.
    private static readonly Lazy<Rule> AnyObject = new(() =>
        Compile(Anything, SchemaOptions.Default, PropertyOrder.Any, function: null, CancellationToken.None).Root
    );

    private readonly ChatSource _source;
    private readonly ConstraintCache _cache = new();
    private readonly Lazy<SparedTokens> _spared;

    /// <param name="source">The vocabulary, and who is told how long compilations take.</param>
    public ConstraintReader(ChatSource source)
    {
        _source = source;
        _spared = new(() => new SparedTokens(source.Special));
        // What masks need of the vocabulary takes a tenth of a second, which the first request need not wait for.
        ThreadPool.QueueUserWorkItem(_ => VocabularyMasks.Of(source.Tokenizer));
    }

    /// <summary>What the answer is held to; null where it is not, since the caller wants calls unconstrained.</summary>
    /// <param name="options">The options of the caller.</param>
    /// <param name="own">The options that only this client has.</param>
    /// <param name="tools">The functions that are offered.</param>
    /// <param name="cancellation">Ends a compilation under way.</param>
    /// <exception cref="InvalidOperationException">Options that exclude each other.</exception>
    /// <exception cref="SchemaException">A schema cannot be held to.</exception>
    public AnswerConstraint? Read(
        ChatOptions options,
        GptOssRequestOptions own,
        OfferedTools tools,
        CancellationToken cancellation
    )
    {
        var required = options.ToolMode as RequiredChatToolMode;
        bool hasForm =
            required is null && (own.Grammar is not null || options.ResponseFormat is ChatResponseFormatJson);
        Refuse(options, own, hasForm);
        IReadOnlyList<ToolFunction> callable = required is null ? tools.Functions : Required(required, tools);
        if (own.FreeCalls && !hasForm)
            return null;

        RefuseBeyondLimits(callable);
        var wanted = new WantedTurn(options, own, tools, callable)
        {
            HasForm = hasForm,
            IsStrict = required is not null || own.StrictTools,
            IsRequired = required is not null,
        };
        return _cache.Get(wanted.Key, () => Compile(wanted, cancellation));
    }

    private static void Refuse(ChatOptions options, GptOssRequestOptions own, bool hasForm)
    {
        bool isJson = options.ResponseFormat is ChatResponseFormatJson;
        if (own.FreeCalls && (own.StrictTools || options.ToolMode is RequiredChatToolMode))
            throw new InvalidOperationException(
                "GptOssRequestOptions.FreeCalls leaves calls to the model alone, which excludes "
                    + (own.StrictTools ? "StrictTools." : "a ChatOptions.ToolMode that requires a call.")
            );
        if (own.Grammar is not null && isJson)
            throw new InvalidOperationException(
                "GptOssRequestOptions.Grammar and a ChatOptions.ResponseFormat of JSON both say what the answer is "
                    + "held to. Set one of them."
            );
        if (options.StopSequences is { Count: > 0 } && hasForm)
            throw new InvalidOperationException(
                "ChatOptions.StopSequences would cut an answer that ResponseFormat or Grammar holds to a form. Leave "
                    + "them out: such an answer ends by itself."
            );
    }

    private static void RefuseBeyondLimits(IReadOnlyList<ToolFunction> functions)
    {
        if (functions.Count > MostFunctions)
            throw new SchemaException(
                $"ChatOptions.Tools offer {functions.Count:N0} functions, and the limit is {MostFunctions:N0}. Offer "
                    + "those that the conversation is about, or set GptOssRequestOptions.FreeCalls."
            );
        long bytes = functions.Sum(function => (long)Encoding.UTF8.GetByteCount(function.Name));
        if (bytes > MostNameBytes)
            throw new SchemaException(
                $"The names of the functions in ChatOptions.Tools have {bytes:N0} bytes together, and the limit is "
                    + $"{MostNameBytes:N0}. Shorten them, or offer fewer."
            );
    }

    private static IReadOnlyList<ToolFunction> Required(RequiredChatToolMode required, OfferedTools tools)
    {
        if (tools.Functions.Count == 0)
            throw new InvalidOperationException("ChatOptions.ToolMode requires a call, but no function is offered.");
        if (required.RequiredFunctionName is not { } name)
            return tools.Functions;
        if (!tools.Offers(name))
            throw new InvalidOperationException(
                $"ChatOptions.ToolMode requires the function '{Printable.Name(name)}', which ChatOptions.Tools do not "
                    + "offer."
            );
        string recipient = tools.Recipient(name);
        return [tools.Functions.First(function => ToolNames.FunctionsPrefix + function.Name == recipient)];
    }

    private AnswerConstraint Compile(WantedTurn wanted, CancellationToken cancellation)
    {
        _ = VocabularyMasks.Of(_source.Tokenizer); // once for a vocabulary, and no part of what a constraint takes
        long started = Stopwatch.GetTimestamp();
        var relaxed = new List<string>();
        TurnBody? final = wanted.IsRequired ? null : Final(wanted, relaxed, cancellation);
        TurnCall[] calls =
        [
            .. wanted.Functions.Select(function => new TurnCall(
                function.Name,
                wanted.HoldsArguments(function) ? Arguments(function, wanted, relaxed, cancellation) : AnyObject.Value
            )),
        ];
        var plan = new TurnPlan
        {
            HasReasoning = wanted.HasReasoning,
            HasPreambles = calls.Length > 0 && !wanted.IsRequired && !wanted.Own.FreeCalls,
            HasFreeCalls = wanted.Own.FreeCalls,
            Final = final,
            Calls = wanted.Own.FreeCalls ? [] : calls,
        };
        var turn = new TokenConstraint(
            Machine(plan, wanted, cancellation),
            _source.Tokenizer,
            TurnGrammar.MarkersOf(_source.Special)
        );
        _source.Compiled?.Invoke(Stopwatch.GetElapsedTime(started));
        return new AnswerConstraint(turn, wanted.Name)
        {
            HasForm = wanted.HasForm,
            Spared = _spared.Value,
            Relaxed = relaxed,
        };
    }

    private static Grammar Machine(TurnPlan plan, WantedTurn wanted, CancellationToken cancellation)
    {
        try
        {
            return new Grammar(TurnGrammar.Of(plan), wanted.IsCompact, new CompileBudget(cancellation));
        }
        catch (LimitException limit)
        {
            throw new SchemaException($"What {wanted.Name} asks of the turn {limit.Message}.");
        }
    }

    private static TurnBody Final(WantedTurn wanted, List<string> relaxed, CancellationToken cancellation)
    {
        if (wanted.Own.Grammar is { } grammar)
        {
            relaxed.AddRange(grammar.Relaxed);
            return new TurnBody(grammar.Root, grammar.IsJson);
        }
        if (wanted.Format is not { } format)
            return TurnBody.Free;
        CompiledSchema compiled = Compile(
            format.Schema ?? Anything,
            wanted.Own.Schemas,
            PropertyOrder.Schema,
            function: null,
            cancellation
        );
        relaxed.AddRange(compiled.Relaxed);
        return new TurnBody(compiled.Root, IsJson: true);
    }

    private static Rule Arguments(
        ToolFunction function,
        WantedTurn wanted,
        List<string> relaxed,
        CancellationToken cancellation
    )
    {
        string name = wanted.NameOf(function);
        CompiledSchema compiled = Compile(
            function.Parameters ?? NoParameters,
            wanted.Own.Schemas,
            PropertyOrder.Any,
            name,
            cancellation
        );
        relaxed.AddRange(compiled.Relaxed.Select(pointer => $"{name}: {pointer}"));
        return compiled.Root;
    }

    // Names the function, or the answer, in front of what is wrong with its schema.
    private static CompiledSchema Compile(
        JsonElement schema,
        SchemaOptions options,
        PropertyOrder order,
        string? function,
        CancellationToken cancellation
    )
    {
        try
        {
            var budget = new CompileBudget(cancellation);
            return SchemaCompiler.Compile(schema, options, order, mustBeObject: function is not null, budget);
        }
        catch (SchemaException error)
        {
            string of = function is null ? "the answer" : $"the function '{Printable.Name(function)}'";
            throw new SchemaException(
                $"The schema of {of} cannot be held to. {error.Message}",
                error.Pointer,
                error.Keyword,
                function
            );
        }
    }
}
