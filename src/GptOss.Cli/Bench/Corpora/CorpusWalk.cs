using System.Diagnostics;
using GptOss.Constraints;
using GptOss.Constraints.Schemas;
using GptOss.Sampling;
using GptOss.Tokenization;

namespace GptOss.Cli.Bench.Corpora;

/// <summary>
/// Compiles every schema of a file, walks its valid texts token by token as a model would write them, and judges all of
/// its texts. One thread, by the clock.
/// </summary>
/// <remarks>
/// A mask is asked for before each token, also where the engine would not ask since the token is forced: as
/// MaskBench does. The texts are judged behind the walks, which would else find the rows of the machine filled.
/// </remarks>
internal sealed class CorpusWalk
{
    // Longer texts are recognised by their beginning.
    private const int ShownCharacters = 120;

    private readonly Tokenizer _tokenizer;
    private readonly SchemaOptions _options;
    private readonly CancellationToken _stop;
    private readonly List<string> _wrong = [];
    private readonly List<string?> _refusals = [];
    private readonly List<double> _compileMs = [];
    private readonly List<double> _firstUs = [];
    private readonly List<double> _visitedUs = [];
    private readonly List<double> _keptBytes = [];
    private int _schemas;
    private int _refusedAsExpected;
    private int _verdicts;
    private int _tokens;
    private int _forced;

    private CorpusWalk(Tokenizer tokenizer, SchemaOptions options, CancellationToken stop) =>
        (_tokenizer, _options, _stop) = (tokenizer, options, stop);

    /// <summary>Goes over the file twice; the runtime compiles the code at the first, which does not count.</summary>
    /// <param name="file">The schemas and their texts.</param>
    /// <param name="tokenizer">The vocabulary of the masks.</param>
    /// <param name="stop">Ends the measurement early.</param>
    public static CorpusFigures Run(CorpusFile file, Tokenizer tokenizer, CancellationToken stop)
    {
        CorpusSchema[] schemas = [.. file.Read()];
        Once();
        return Once();

        CorpusFigures Once()
        {
            var walk = new CorpusWalk(tokenizer, file.Options, stop);
            foreach (CorpusSchema schema in schemas)
                walk.Take(schema);
            return walk.Figures(file.Name);
        }
    }

    private void Take(CorpusSchema schema)
    {
        _stop.ThrowIfCancellationRequested();
        _schemas++;
        if (Compile(schema) is not { } grammar)
            return;
        if (schema.IsToBeRefused)
            _wrong.Add($"{schema.Id}: compiled");
        var constraint = new TokenConstraint(grammar, _tokenizer, markers: []);
        var unwritten = schema
            .Texts.Where(text => text.IsAllowed == true && !IsWritten(text.Text, constraint))
            .ToHashSet();
        _keptBytes.Add(grammar.Bytes);
        foreach (CorpusText text in schema.Texts.Where(text => text.IsAllowed is not null))
        {
            _verdicts++;
            if (unwritten.Contains(text) || ConstraintState.Accepts(grammar, text.Text) != text.IsAllowed)
                _wrong.Add($"{schema.Id}: {text.Text[..Math.Min(ShownCharacters, text.Text.Length)]}");
        }
    }

    private Grammar? Compile(CorpusSchema schema)
    {
        try
        {
            long began = Stopwatch.GetTimestamp();
            var budget = new CompileBudget(_stop);
            CompiledSchema compiled = SchemaCompiler.Compile(
                schema.Schema,
                _options,
                PropertyOrder.Schema,
                mustBeObject: false,
                budget
            );
            var grammar = new Grammar(compiled.Root, isCompact: _options.Compact, budget);
            _compileMs.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            return grammar;
        }
        catch (Exception e) when (e is SchemaException or LimitException)
        {
            _refusals.Add((e as SchemaException)?.Keyword);
            if (schema.IsToBeRefused)
                _refusedAsExpected++;
            return null;
        }
    }

    // Whether every token of the text is allowed where it comes, and the text may end behind the last.
    private bool IsWritten(string text, TokenConstraint constraint)
    {
        ConstraintState state = constraint.Start;
        List<int> run = [];
        int ofRun = 0;
        foreach (int token in _tokenizer.Encode(text))
        {
            if (ofRun == run.Count)
                (run, ofRun) = (constraint.ForcedRun(state), 0);
            TokenMask mask = Timed(constraint, state);
            if (!mask.Allows(token) || !constraint.TryAdvance(state, token, out state))
                return false;
            _tokens++;
            if (ofRun < run.Count && run[ofRun] == token)
                (_forced, ofRun) = (_forced + 1, ofRun + 1);
            else
                (run, ofRun) = ([], 0); // the text spells what is forced by other tokens
        }
        return state.IsComplete;
    }

    private TokenMask Timed(TokenConstraint constraint, ConstraintState state)
    {
        int built = constraint.MasksBuilt;
        long began = Stopwatch.GetTimestamp();
        TokenMask mask = constraint.MaskOf(state);
        // A TimeSpan counts tenths of a microsecond, and a mask that is kept takes less than one.
        double microseconds = 1e6 * (Stopwatch.GetTimestamp() - began) / Stopwatch.Frequency;
        (constraint.MasksBuilt > built ? _firstUs : _visitedUs).Add(microseconds);
        return mask;
    }

    private CorpusFigures Figures(string corpus) =>
        new()
        {
            Corpus = corpus,
            Schemas = _schemas,
            Refused = _refusals.Count,
            RefusedAsExpected = _refusedAsExpected,
            RefusedBy =
            [
                .. _refusals
                    .GroupBy(keyword => keyword)
                    .Select(group => new Refusals(group.Key, group.Count()))
                    .OrderByDescending(refusals => refusals.Count)
                    .ThenBy(refusals => refusals.Keyword, StringComparer.Ordinal),
            ],
            Verdicts = _verdicts,
            Wrong = _wrong,
            MasksUs = Spread.Of([.. _firstUs, .. _visitedUs]),
            FirstVisitsUs = Spread.Of(_firstUs),
            VisitedUs = Spread.Of(_visitedUs),
            CompileMs = Spread.Of(_compileMs),
            KeptBytes = Spread.Of(_keptBytes),
            ForcedShare = (double)_forced / Math.Max(1, _tokens),
        };
}
