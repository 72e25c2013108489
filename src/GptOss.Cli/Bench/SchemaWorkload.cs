using System.Text.Json;
using GptOss.Constraints;
using GptOss.Constraints.Schemas;
using GptOss.Generation;
using GptOss.Tokenization;

namespace GptOss.Cli.Bench;

/// <summary>
/// What it costs to hold answers to schemas: one answer alone, and 16 at once with a schema each, beside the same
/// without.
/// </summary>
/// <remarks>
/// The schemas are long lists of strings, numbers and truth values. Hardly a token of such an answer is forced, so that
/// the ratio tells the cost of the masks and of the choice among what they allow, and not what forced tokens save.
/// </remarks>
/// <param name="engine">The engine of the model.</param>
/// <param name="tokenizer">The vocabulary of the model.</param>
/// <param name="stop">Ends the measurement early.</param>
internal sealed class SchemaWorkload(Engine engine, Tokenizer tokenizer, CancellationToken stop)
{
    private const int Streams = 16;

    /// <summary>Runs answers with and without schemas by turns, and returns the medians.</summary>
    /// <param name="tokens">Tokens of each answer.</param>
    /// <param name="rounds">How often each is measured; a first round does not count.</param>
    public async Task<SchemaFigures> RunAsync(int tokens, int rounds)
    {
        TokenConstraint[] schemas = [.. Enumerable.Range(0, Streams).Select(Compile)];
        var alone = new List<(double Plain, double Held)>();
        var many = new List<(double Plain, double Held)>();
        for (int round = 0; round <= rounds; round++)
        {
            alone.Add((await Speed(1, null).ConfigureAwait(false), await Speed(1, schemas).ConfigureAwait(false)));
            many.Add(
                (await Speed(Streams, null).ConfigureAwait(false), await Speed(Streams, schemas).ConfigureAwait(false))
            );
        }
        return new SchemaFigures
        {
            PlainTokPerS = Median.Of(alone.Skip(1).Select(pair => pair.Plain)),
            SchemaTokPerS = Median.Of(alone.Skip(1).Select(pair => pair.Held)),
            Ratio = Median.Of(alone.Skip(1).Select(pair => pair.Held / pair.Plain)),
            Streams = Streams,
            RatioOfStreams = Median.Of(many.Skip(1).Select(pair => pair.Held / pair.Plain)),
            MeanMaskUs =
                schemas.Sum(schema => schema.BuildTime.TotalMicroseconds)
                / Math.Max(1, schemas.Sum(schema => schema.MasksBuilt)),
        };

        Task<double> Speed(int streams, TokenConstraint[]? held) =>
            ManyStreams.TokensPerSecondAsync(
                engine,
                streams,
                tokens,
                stop,
                held is null ? null : i => new SchemaGuide(held[i])
            );
    }

    private TokenConstraint Compile(int number)
    {
        JsonElement schema = JsonElement.Parse(
            $$$"""
            {"type":"array","minItems":100000,"items":{"anyOf":[{"type":"string","minLength":{{{number}}}},
            {"type":"number"},{"type":"boolean"}]}}
            """
        );
        var budget = new CompileBudget(stop);
        CompiledSchema compiled = SchemaCompiler.Compile(
            schema,
            SchemaOptions.Default,
            PropertyOrder.Schema,
            mustBeObject: false,
            budget
        );
        return new TokenConstraint(new Grammar(compiled.Root, isCompact: false, budget), tokenizer, markers: []);
    }

    /// <summary>Holds the whole answer to a schema, without the chat format around it.</summary>
    private sealed class SchemaGuide(TokenConstraint schema) : ITokenGuide
    {
        private ConstraintState _state = schema.Start;

        public string Name => "the schema of the measurement";

        public Guidance Begin() => Here();

        public Guidance After(int token)
        {
            if (!schema.TryAdvance(_state, token, out _state))
                throw new InvalidOperationException($"The token {token} does not fit the schema.");
            return Here();
        }

        public int CountAllowed(ReadOnlySpan<int> guess) => guess.Length;

        private Guidance Here() => new() { Allowed = schema.MaskOf(_state) };
    }
}

/// <summary>Answers that are held to schemas, beside answers that are not; medians over the rounds.</summary>
internal sealed record SchemaFigures
{
    public required double PlainTokPerS { get; init; }
    public required double SchemaTokPerS { get; init; }

    /// <summary>The speed of one answer with a schema against one without.</summary>
    public required double Ratio { get; init; }
    public required int Streams { get; init; }

    /// <summary>The same of several answers at once, each with a schema of its own.</summary>
    public required double RatioOfStreams { get; init; }

    /// <summary>Microseconds that a mask took to work out where it was not kept.</summary>
    public required double MeanMaskUs { get; init; }
}
