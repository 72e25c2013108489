using System.Text.Json;
using GptOss.Constraints;
using GptOss.Constraints.Schemas;
using GptOss.Harmony;
using GptOss.Tokenization;

namespace GptOss.Tests.Harmony;

/// <summary>Whatever headers the grammar of a turn lets come, in whatever tokens, the parser reads as they are
/// meant.</summary>
public sealed class TurnHeaderTests
{
    private static readonly string[] Functions = ["get", "get_weather", "get_weather_now", "set"];

    [Fact]
    public void Every_header_is_read_as_it_is_spelled()
    {
        Tokenizer tokenizer = Tokenizer.ForFolder(TinyGptOss.Folder, 960, out _, CancellationToken.None)!;
        var special = new SpecialTokens(tokenizer);
        Rule empty = SchemaCompiler
            .Compile(
                JsonElement.Parse("""{"type":"object","properties":{}}"""),
                SchemaOptions.Default,
                PropertyOrder.Any,
                mustBeObject: true,
                new()
            )
            .Root;
        var plan = new TurnPlan
        {
            HasReasoning = true,
            HasPreambles = true,
            Final = new TurnBody(empty, IsJson: true),
            Calls = [.. Functions.Select(name => new TurnCall(name, empty))],
        };
        var turn = new TokenConstraint(
            new Grammar(TurnGrammar.Of(plan), isCompact: true),
            tokenizer,
            TurnGrammar.MarkersOf(special)
        );
        var seen = new HashSet<string>();
        for (int seed = 0; seed < 400; seed++)
        {
            var random = new Random(seed);
            List<int> tokens = Walk(turn, special, random);
            var parser = new HarmonyParser(special);
            foreach (int token in tokens)
                parser.Accept(token);
            // One message for each header, with the words of that header.
            string[] spelled = tokenizer.Decode(tokens).Split("<|start|>assistant");
            Assert.Equal(spelled.Length, parser.Messages.Count);
            foreach ((string text, HarmonyMessage message) in spelled.Zip(parser.Messages))
            {
                string header = text[..text.IndexOf("<|message|>", StringComparison.Ordinal)];
                Assert.Equal(header, Spelled(message));
                seen.Add(header);
            }
        }
        // Reasoning, a preamble, an answer and four functions; the last five with a content type and without.
        Assert.Equal(2 + 2 * (1 + Functions.Length), seen.Count);
    }

    private static string Spelled(HarmonyMessage message) =>
        $"<|channel|>{message.Channel}"
        + (message.Recipient is { } recipient ? $" to={recipient}" : "")
        + (message.ContentType is { } type ? $" {type}" : "");

    // Random tokens of headers, a few of texts.
    private static List<int> Walk(TokenConstraint turn, SpecialTokens special, Random random)
    {
        List<int> tokens = [];
        ConstraintState state = turn.Start;
        while (!state.IsComplete)
        {
            GptOss.Sampling.TokenMask mask = turn.MaskOf(state);
            int[] allowed = [.. Enumerable.Range(0, mask.VocabularySize).Where(mask.Allows)];
            Assert.NotEmpty(allowed);
            int next =
                mask.Allows(special.End) && tokens.Count > 0 && random.Next(2) == 0
                    ? special.End
                    : allowed[random.Next(allowed.Length)];
            Assert.True(turn.TryAdvance(state, next, out state));
            tokens.Add(next);
        }
        return tokens;
    }
}
