using System.Diagnostics;
using System.Globalization;
using GptOss.Checkpoint;
using GptOss.Cli.Shell;
using GptOss.Model;

namespace GptOss.Tests.Model;

/// <summary>How a model is used in a process whose memory is measured.</summary>
/// <param name="Precision">The precision of the model.</param>
/// <param name="IsCopied">Whether the files are copied, and not mapped.</param>
/// <param name="Context">The most tokens of a request, all of which are used.</param>
/// <param name="Sessions">How many requests run at once.</param>
/// <param name="Threads">How many threads compute.</param>
internal sealed record MeasuredUse(Precision Precision, bool IsCopied, int Context, int Sessions, int Threads)
{
    public override string ToString() => $"{Precision} {IsCopied} {Context} {Sessions} {Threads}";

    public static MeasuredUse Parse(string text)
    {
        string[] words = text.Split(' ');
        int[] numbers = [.. words[2..].Select(word => int.Parse(word, CultureInfo.InvariantCulture))];
        return new(Enum.Parse<Precision>(words[0]), bool.Parse(words[1]), numbers[0], numbers[1], numbers[2]);
    }
}

/// <summary>What a process tells of itself when it has answered.</summary>
/// <param name="Predicted">The peak that was told before the model was loaded.</param>
/// <param name="Measured">VmHWM of Linux: the most bytes that were resident, mapped files among them.</param>
/// <param name="Parts">Both in their parts, for a person.</param>
internal sealed record MeasuredPeak(long Predicted, long Measured, string Parts);

/// <summary>
/// A process that tells what a model will take, loads it, and answers as many requests as it may until the memory of
/// keys and values is full. It runs in the place of the tool, behind <see cref="StartupHook"/>.
/// </summary>
internal static class MeasuredChild
{
    /// <summary>The variable that names the model.</summary>
    public const string Model = "GPTOSS_MEASURE_MODEL";

    /// <summary>The exit code of a process whose model was refused for want of memory.</summary>
    public const int Refused = 3;

    private const string How = "GPTOSS_MEASURE_HOW";
    private const int AnswerTokens = 8,
        Rounds = 4; // later ones find what the first one has kept, and give pages back for others

    /// <summary>Runs such a process, and reads what it tells.</summary>
    public static MeasuredPeak Measure(string folder, MeasuredUse use)
    {
        (int exitCode, string told) = Run(folder, use, group: null);
        Assert.Equal(0, exitCode);
        string[] lines = told.Split('\n');
        return new(
            long.Parse(lines[0], CultureInfo.InvariantCulture),
            long.Parse(lines[1], CultureInfo.InvariantCulture),
            lines[2]
        );
    }

    /// <summary>Runs such a process in a group whose memory is limited, if one is named.</summary>
    public static (int ExitCode, string Told) Run(string folder, MeasuredUse use, MemoryGroup? group)
    {
        string[] child = ["dotnet", typeof(Failure).Assembly.Location, "--help"];
        string[] command = group is null ? child : ["sh", "-c", group.Enter + "; exec \"$@\"", "sh", .. child];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_STARTUP_HOOKS"] = typeof(StartupHook).Assembly.Location;
        start.Environment[Model] = folder;
        start.Environment[How] = use.ToString();
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string told = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, told + errors.Result);
    }

    /// <summary>Tells the prediction, the measurement, and both in parts: a line each.</summary>
    public static void Run(string folder)
    {
        var use = MeasuredUse.Parse(Environment.GetEnvironmentVariable(How)!);
        var options = new ModelOptions
        {
            Precision = use.Precision,
            CopyToMemory = use.IsCopied,
            ContextLength = use.Context,
            MaxRunning = use.Sessions,
            Threads = use.Threads,
        };
        MemoryForecast forecast;
        using (var opened = ModelFolder.Open(folder, ModelOptions.Default, null, CancellationToken.None))
        {
            long budget = MemoryBudget.Of(
                free: long.MaxValue,
                use.Context,
                use.Sessions,
                PageGroup.Of(opened.Config, new KvHeadLayout(options.KeyValueFormat, opened.Config.HeadDim))
            );
            options = options with { KvCacheBytes = budget };
            forecast = opened.Forecast(options);
        }
        long before = Status("VmRSS:");
        GptOssModel model;
        try
        {
            model = GptOssModel.LoadAsync(folder, options).GetAwaiter().GetResult();
        }
        catch (InsufficientMemoryException error)
        {
            Console.WriteLine(error.Message);
            Environment.Exit(Refused);
            return;
        }
        for (int round = 0; round < Rounds; round++)
            Task.WaitAll([.. Enumerable.Range(round * use.Sessions, use.Sessions).Select(Answer)]);
        Read(model.Source.Folder.Checkpoint, use.Precision);

        Console.WriteLine(before + forecast.Peak);
        Console.WriteLine(Status("VmHWM:"));
        Console.WriteLine(
            $"{forecast} before {before}; now anonymous {Status("RssAnon:")} files {Status("RssFile:")} pages "
                + $"{model.Engine.Cache.Pool.CommittedBytes} activations {model.Engine.ActivationBytes}"
        );
        Environment.Exit(0);

        // The tokens of all requests together are spread over the embedding table, so that all of it is read.
        async Task Answer(int request)
        {
            int apart = Math.Max(1, model.VocabularySize / (Rounds * use.Sessions * use.Context));
            int[] prompt = new int[use.Context - AnswerTokens];
            for (int i = 0; i < prompt.Length; i++)
                prompt[i] = (request * use.Context + i) * apart % model.VocabularySize;
            await foreach (int _ in model.Generate(prompt, SamplingOptions.Greedy, AnswerTokens, [])) { }
        }
    }

    // Reads every weight that passes read, also those of experts that no token has chosen: with Fast the others have
    // copies, and their pages are given back.
    private static unsafe void Read(ICheckpoint checkpoint, Precision precision)
    {
        const int Page = 4096;
        long sum = 0;
        foreach (Tensor tensor in checkpoint.Tensors)
        {
            bool hasCopy =
                precision == Precision.Fast && (tensor.Name is "lm_head.weight" || tensor.Name.Contains("_proj.w"));
            for (long at = 0; at < tensor.ByteLength && !hasCopy; at += Page)
                sum += tensor.Data[at];
        }
        GC.KeepAlive(sum);
    }

    private static long Status(string field)
    {
        string line = File.ReadLines("/proc/self/status")
            .First(line => line.StartsWith(field, StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture)
            << 10;
    }
}
