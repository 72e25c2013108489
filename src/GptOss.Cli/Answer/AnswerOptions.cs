using System.CommandLine;
using GptOss.Cli.Shell;
using Microsoft.Extensions.AI;

namespace GptOss.Cli.Answer;

/// <summary>The options that <c>run</c> and <c>chat</c> share: which model, how it answers.</summary>
internal sealed class AnswerOptions
{
    /// <summary>The efforts that gpt-oss knows.</summary>
    public static readonly IReadOnlyList<string> Efforts = ["low", "medium", "high"];

    private readonly Option<string?> _effort = new("--effort")
    {
        Description = "How long the model thinks; the default is medium.",
        HelpName = string.Join('|', Efforts),
    };

    private readonly Option<string?> _system = new("--system")
    {
        Description = "Instructions for the model, in quotation marks.",
        HelpName = "TEXT",
    };

    private readonly Option<int?> _maxTokens = Values.Number(
        "--max-tokens",
        "Ends an answer after N tokens, reasoning included.",
        1,
        int.MaxValue
    );

    private readonly Option<float?> _temperature = Values.Number(
        "--temperature",
        "0 always takes the likeliest token, 1 (the default) keeps the model's own distribution; at most 2.",
        0f,
        2f
    );

    private readonly Option<ulong?> _seed = Values.Number(
        "--seed",
        "The same seed gives the same answer.",
        0ul,
        ulong.MaxValue
    );
    private readonly Option<int?> _threads = Values.Number(
        "--threads",
        "Threads that compute; the default is one per processor.",
        1,
        1024
    );
    private readonly Option<string> _precision = PrecisionChoice.Option();
    private readonly Option<string> _format = KeyValueChoice.Option();
    private readonly Option<string?> _model = ModelChoice.Option();
    private readonly Option<string?> _adapter = AdapterChoice.Option();
    private readonly Option<bool> _copy = CopyChoice.Option();

    public AnswerOptions() => _effort.AcceptOnlyFromAmong([.. Efforts]);

    public IEnumerable<Option> All =>
        [_model, _adapter, _effort, _system, _maxTokens, _temperature, _seed, _threads, _precision, _format, _copy];

    public string Path(ParseResult parsed) => ModelChoice.PathForAnswers(parsed.GetValue(_model));

    public ModelOptions Model(ParseResult parsed) =>
        new()
        {
            Adapter = AdapterChoice.Folder(parsed.GetValue(_adapter)),
            Threads = parsed.GetValue(_threads),
            MaxOutputTokens = parsed.GetValue(_maxTokens) ?? ModelOptions.Default.MaxOutputTokens,
            Precision = PrecisionChoice.Of(parsed.GetValue(_precision)),
            KeyValueFormat = KeyValueChoice.Format(parsed.GetRequiredValue(_format)),
            CopyToMemory = parsed.GetValue(_copy),
        };

    /// <summary>The sampling of a request that brings tokens and no chat format.</summary>
    /// <exception cref="UsageException">Options of the chat format were given.</exception>
    public (SamplingOptions Sampling, int? MaxTokens) Raw(ParseResult parsed)
    {
        foreach (Option option in (Option[])[_effort, _system])
        {
            if (parsed.GetResult(option) is not null)
                throw new UsageException($"{option.Name} belongs to the chat format, which --raw leaves out.");
        }
        return (
            new SamplingOptions { Temperature = parsed.GetValue(_temperature) ?? 1, Seed = parsed.GetValue(_seed) },
            parsed.GetValue(_maxTokens)
        );
    }

    /// <summary>The options of a question.</summary>
    /// <param name="parsed">The command line, parsed.</param>
    /// <param name="format">The schema that the answer is held to; null for none.</param>
    /// <param name="grammar">The grammar that the answer is held to; null for none.</param>
    public ChatOptions Chat(ParseResult parsed, ChatResponseFormat? format = null, GptOssGrammar? grammar = null) =>
        new()
        {
            ResponseFormat = format,
            RawRepresentationFactory = _ => new GptOssRequestOptions { Grammar = grammar },
            Instructions = parsed.GetValue(_system),
            Temperature = parsed.GetValue(_temperature),
            Seed = parsed.GetValue(_seed) is { } seed ? unchecked((long)seed) : null,
            MaxOutputTokens = parsed.GetValue(_maxTokens),
            Reasoning = new ReasoningOptions { Effort = Effort(EffortName(parsed)), Output = ReasoningOutput.Full },
        };

    public string EffortName(ParseResult parsed) => parsed.GetValue(_effort) ?? "medium";

    /// <summary>The effort of a name in <see cref="Efforts"/>; null for every other name.</summary>
    public static ReasoningEffort? Effort(string name) =>
        name switch
        {
            "low" => ReasoningEffort.Low,
            "medium" => ReasoningEffort.Medium,
            "high" => ReasoningEffort.High,
            _ => null,
        };
}
