using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using GptOss.Tests.Cli;

namespace GptOss.Tests.TinyModel;

/// <summary>The training code beside the tiny model, where there is a Python with numpy to run it.</summary>
public sealed class TrainingTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "src", "GptOss.TinyModel", "training");
    private static readonly Lazy<string?> Python = new(FindPython);

    [Fact]
    public void Every_gradient_agrees_with_finite_differences() =>
        Assert.Matches(@"^\d{3} gradients agree with finite differences", Run("train.py", "--check"));

    [Fact]
    public void A_model_of_a_few_steps_has_learned_and_has_the_same_logits_here()
    {
        using var folder = new TemporaryFolder();

        string table = Run("train.py", "--short", "--steps", "12", "--questions", "0", "--out", folder.Path);

        // 953 tokens that are equally likely are a loss of 6.9.
        double loss = double.Parse(table.Trim().Split('\n')[^1].Split('|')[2], Culture);
        Assert.InRange(loss, 1, 6.6);
        const string Prompt = "949,10,951,17,18,300,19,950,949";
        double[] theirs = Last(Run("evaluate.py", "--model", folder.Path, "--logits", Prompt));
        double[] ours = Last(Tool.Run("debug", "logits", folder.Path, "--tokens", Prompt).Output);
        Assert.Equal(theirs.Length, ours.Length);
        // Two float32 passes that sum in different orders; the logits are below 10.
        Assert.All(theirs.Zip(ours), pair => Assert.Equal(pair.First, pair.Second, tolerance: 2e-4));
    }

    [Fact]
    public void The_pass_of_the_training_gives_the_golden_answers_of_the_shipped_model()
    {
        using var folder = new TemporaryFolder();
        string few = Path.Combine(folder.Path, "few.json");
        using JsonDocument all = JsonDocument.Parse(File.ReadAllBytes(Repository.Vector("tiny-model", "golden.json")));
        IEnumerable<JsonElement> shortest = all
            .RootElement.EnumerateArray()
            .OrderBy(answer => answer.GetProperty("prompt_tokens").GetArrayLength())
            .Take(4);
        File.WriteAllText(few, $"[{string.Join(',', shortest.Select(answer => answer.GetRawText()))}]");
        string model = Path.Combine(Repository.Root, "src", "GptOss.TinyModel", "model");

        string output = Run("evaluate.py", "--model", model, "--golden", few, "--questions", "0");

        Assert.Equal("golden answers: 4 of 4", output.Trim());
    }

    private static System.Globalization.CultureInfo Culture => System.Globalization.CultureInfo.InvariantCulture;

    private static double[] Last(string json)
    {
        using JsonDocument parsed = JsonDocument.Parse(json);
        JsonProperty position = Assert.Single(parsed.RootElement.GetProperty("logits").EnumerateObject());
        return [.. position.Value.EnumerateArray().Select(value => value.GetDouble())];
    }

    private static string Run(string script, params string[] arguments)
    {
        Assert.SkipWhen(Python.Value is null, "There is no python3 with numpy here.");
        using Process process = Start(Python.Value, [Path.Combine(Folder, script), .. arguments]);
        string output = process.StandardOutput.ReadToEnd();
        Tool.WaitForEnd(process);
        Assert.Equal(0, process.ExitCode);
        return output;
    }

    private static Process Start(string python, string[] arguments)
    {
        // -B: no folder of compiled files beside the sources.
        var start = new ProcessStartInfo(python, ["-B", .. arguments]) { RedirectStandardOutput = true };
        start.Environment["OPENBLAS_NUM_THREADS"] = "1";
        return Process.Start(start)!;
    }

    private static string? FindPython() => Array.Find(["python3", "/usr/bin/python3"], HasNumpy);

    private static bool HasNumpy(string python)
    {
        try
        {
            // The scripts use what Python has had since 3.9.
            const string Script = "import sys, numpy; sys.exit(sys.version_info < (3, 9))";
            using Process process = Start(python, ["-c", Script]);
            Tool.WaitForEnd(process);
            return process.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }
}
