using System.Text.Json.Serialization;
using GptOss.Cli.Answer;
using GptOss.Cli.Bench;
using GptOss.Cli.Debug;
using GptOss.Cli.Inspect;

namespace GptOss.Cli.Shell;

/// <summary>How the tool's results are written for programs: names in snake case, one object, one line.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UseStringEnumConverter = true,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(LogitsResult))]
[JsonSerializable(typeof(Inspection))]
[JsonSerializable(typeof(BenchResult))]
[JsonSerializable(typeof(AnswerEvent))]
internal sealed partial class Json : JsonSerializerContext;
