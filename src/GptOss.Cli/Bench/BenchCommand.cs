using System.CommandLine;
using System.Text.Json;
using GptOss.Cli.Bench.Corpora;
using GptOss.Cli.Shell;
using GptOss.Model;

namespace GptOss.Cli.Bench;

/// <summary><c>gptoss bench</c>: how fast a model, or one of the published sizes, is on this machine.</summary>
internal static class BenchCommand
{
    // Memory for the runtime and for the activations of one chunk of a prompt.
    private const long OverheadBytes = 256 << 20;

    // Layers of the shape for --cancel alone: enough for one of each kind, so that a long context fits beside them.
    private const int CancelLayers = 2;

    public static Command Create()
    {
        Option<string?> model = ModelChoice.Option();
        Option<string?> adapter = AdapterChoice.Option();
        var shape = new Option<string?>("--shape")
        {
            Description = "Random weights in the sizes of gpt-oss-20b or gpt-oss-120b, instead of a model.",
            HelpName = "20b|120b",
        };
        shape.AcceptOnlyFromAmong(PublishedShape.Small.Name, PublishedShape.Large.Name);
        Option<int?> layers = Values.Number(
            "--layers",
            "Makes only the first N layers of the shape.",
            1,
            PublishedShape.Large.Layers
        );
        var form = new Option<string>("--form")
        {
            Description =
                "The form of the random weights: that of the published safetensors, of GGUF with bfloat16, or of GGUF "
                + "with Q8_0.",
            HelpName = "safetensors|gguf|gguf-q8_0",
            DefaultValueFactory = _ => "safetensors",
        };
        form.AcceptOnlyFromAmong("safetensors", "gguf", "gguf-q8_0");
        Option<int?> prompt = Values.Number("--prefill", "Tokens of the prompt; the default is 256.", 1, 1 << 20, "-p");
        var prefills = new Option<string?>("--prefills")
        {
            Description = "Also measures prefills of these lengths, such as 16,2048.",
            HelpName = "N,N",
        };
        Option<int?> decode = Values.Number("--decode", "Tokens to decode; the default is 32.", 1, 1 << 20, "-n");
        Option<int?> repetitions = Values.Number(
            "--repetitions",
            "Runs, of which the medians count; the default is 3.",
            1,
            1000,
            "-r"
        );
        Option<int?> threads = Values.Number(
            "--threads",
            "Threads that compute; the default is one per processor.",
            1,
            1024
        );
        Option<string> precision = PrecisionChoice.Option();
        Option<int?> context = Values.Number(
            "--context",
            "Also measures decoding behind N tokens of context.",
            LongContext.Short + 1,
            1 << 20
        );
        Option<int?> streams = Values.Number(
            "--streams",
            "Also measures N requests that decode at the same time.",
            2,
            256
        );
        var workload = new Option<string?>("--workload")
        {
            Description =
                "Also measures answers that edit their prompt, with and without prompt lookup, or answers that are "
                + "held to schemas, one and 16 at once.",
            HelpName = "edit|schemas",
        };
        workload.AcceptOnlyFromAmong("edit", "schemas");
        var cancel = new Option<bool>("--cancel")
        {
            Description =
                "Also measures the time from a cancel to the end of the work, behind N tokens of --context or, without "
                + "it, several lengths. Without --model and --shape: two layers of the 20b shape.",
        };
        Option<string> format = KeyValueChoice.Option();
        var json = new Option<bool>("--json") { Description = "One JSON object instead of a table." };
        var command = new Command("bench", "Measures how fast a model is on this machine.")
        {
            model,
            adapter,
            shape,
            layers,
            form,
            prompt,
            prefills,
            decode,
            repetitions,
            threads,
            precision,
            context,
            streams,
            workload,
            cancel,
            format,
            json,
            ConstraintsCommand.Create(),
        };
        command.SetAction(
            (parsed, cancellationToken) =>
            {
                bool isCancel = parsed.GetValue(cancel);
                if (parsed.GetValue(adapter) is not null && parsed.GetValue(model) is null)
                    throw new UsageException("--adapter belongs to --model: it is made for one model's weights.");
                (string? folder, PublishedShape? size, int made) =
                    isCancel && parsed.GetValue(model) is null && parsed.GetValue(shape) is null
                        ? (null, PublishedShape.Small, parsed.GetValue(layers) ?? CancelLayers)
                        : Subject(parsed.GetValue(model), parsed.GetValue(shape), parsed.GetValue(layers));
                var request = new BenchRequest(
                    folder,
                    size,
                    made,
                    parsed.GetValue(prompt) ?? 256,
                    parsed.GetValue(decode) ?? 32,
                    parsed.GetValue(repetitions) ?? 3,
                    new ModelOptions
                    {
                        Adapter = AdapterChoice.Folder(parsed.GetValue(adapter)),
                        Threads = parsed.GetValue(threads),
                        Precision = PrecisionChoice.Of(parsed.GetValue(precision)),
                        KeyValueFormat = KeyValueChoice.Format(parsed.GetRequiredValue(format)),
                        MaxRunning = Math.Max(parsed.GetValue(streams) ?? 1, Cancels.StreamsBeside + 1),
                    },
                    parsed.GetValue(context),
                    parsed.GetValue(streams),
                    HasEdit: parsed.GetValue(workload) == "edit",
                    HasSchemas: parsed.GetValue(workload) == "schemas",
                    HasCancels: isCancel,
                    Prefills: Lengths(parsed.GetValue(prefills)),
                    Form: parsed.GetRequiredValue(form) switch
                    {
                        "gguf" => RandomForm.Gguf,
                        "gguf-q8_0" => RandomForm.GgufQ8,
                        _ => RandomForm.Safetensors,
                    }
                );
                CheckMemory(request, FreeMemory.Bytes());
                BenchResult result = Benchmark.Run(request, cancellationToken);
                if (parsed.GetValue(json))
                {
                    using var output = new Output();
                    output.WriteLine(JsonSerializer.Serialize(result, Json.Readable.BenchResult));
                }
                else
                    Sheet.Write([BenchSheet.Of(result)]);
                return Task.FromResult(0);
            }
        );
        return command;
    }

    /// <summary>
    /// Random weights are private memory: where they do not fit, the machine would swap or end the process.
    /// </summary>
    internal static void CheckMemory(BenchRequest request, long available)
    {
        if (request.Shape is not { } shape)
            return;
        long needed = Needed(request.Layers);
        if (needed <= available)
            return;
        int fitting = Enumerable.Range(0, request.Layers).Last(n => n == 0 || Needed(n) <= available);
        throw new InsufficientMemoryException(
            $"The {shape.Name} shape with {request.Layers} layers needs {Amount.Bytes(needed)} of memory, and "
                + $"{Amount.Bytes(available)} are available. "
                + (fitting > 0 ? $"Use --layers {fitting}." : "Not even one layer fits.")
        );

        // Fast gives the memory of a dense matrix back once its copy is made: the head is the one that is there in both
        // forms.
        long Needed(int layers) =>
            shape.WeightBytes(layers)
            + (request.Options.Precision == Precision.Fast ? PublishedShape.PackedHeadBytes : 0)
            + PublishedShape.KeyValueBytes(
                layers,
                Math.Max(request.LongestPrompt, request.Context ?? 0) + request.DecodeTokens
            )
            + OverheadBytes;
    }

    private static int[] Lengths(string? list)
    {
        int[] lengths = Values.ParseIds(list ?? "", "--prefills");
        return lengths.Contains(0) ? throw new UsageException("--prefills should be numbers from 1 on.") : lengths;
    }

    private static (string? Folder, PublishedShape? Shape, int Layers) Subject(
        string? model,
        string? shape,
        int? layers
    )
    {
        if (shape is null)
            return layers is null
                ? (ModelChoice.Path(model), null, 0)
                : throw new UsageException("--layers belongs to --shape.");
        if (model is not null)
            throw new UsageException("--model and --shape exclude each other: measure one or the other.");
        PublishedShape size = shape == PublishedShape.Small.Name ? PublishedShape.Small : PublishedShape.Large;
        return layers > size.Layers
            ? throw new UsageException($"--layers is {layers}, but the {shape} shape has {size.Layers}.")
            : (null, size, layers ?? size.Layers);
    }
}
