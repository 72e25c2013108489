using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using GptOss.Cli.Answer;
using GptOss.Cli.Bench;
using GptOss.Cli.Bench.Corpora;
using GptOss.Cli.Debug;
using GptOss.Cli.Inspect;
using GptOss.Cli.Models;

namespace GptOss.Cli.Shell;

/// <summary>How the tool's results are written for programs: names in snake case, one object, one line.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UseStringEnumConverter = true,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals
)]
[JsonSerializable(typeof(LogitsResult))]
[JsonSerializable(typeof(Inspection))]
[JsonSerializable(typeof(ModelList))]
[JsonSerializable(typeof(BenchResult))]
[JsonSerializable(typeof(ConstraintsResult))]
[JsonSerializable(typeof(AnswerEvent))]
internal sealed partial class Json : JsonSerializerContext
{
    /// <summary>
    /// With letters of every language as they are: what is escaped besides is needed by nobody but HTML.
    /// </summary>
    public static Json Readable =>
        field ??= new(
            new JsonSerializerOptions(Default.Options!) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }
        );
}
