// Over 300 lines: one base is converted with every kind of adapter and fault.
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using GptOss.Cli.Convert;
using GptOss.Tests.Adapter;
using GptOss.Tests.Checkpoint.Gguf;
using GptOss.Tests.Kernels;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Cli;

public sealed class ConversionTests
{
    private static readonly string A = Repository.Vector("oracle", "A"),
        C = Repository.Vector("oracle", "C");

    [Theory]
    [InlineData("A")]
    [InlineData("A-bf16.gguf")]
    [InlineData("A-f32.gguf")]
    [InlineData("A-ollama-first.gguf")] // fused matrices, another order of nibbles
    [InlineData("A-ollama.gguf")]
    public void Mxfp4_keeps_its_codes_and_all_values_their_bits(string source)
    {
        using var folder = new TemporaryFolder();
        List<string> lines = Convert(source == "A" ? A : GgufVectors.PathOf(source), folder, out string target);
        Assert.Contains("experts in MXFP4", lines[^1]);
        // Only the vocabulary of o200k_harmony needs no file.
        Assert.Equal(source == "A" ? 1 : 2, lines.Count);
        Dictionary<string, TinyTensor> original = FineTunes.Read(A),
            converted = FineTunes.Read(target);
        Assert.Equal(original.Keys.Order(StringComparer.Ordinal), converted.Keys.Order(StringComparer.Ordinal));
        foreach ((string name, TinyTensor tensor) in original)
        {
            Assert.Equal(tensor.Shape, converted[name].Shape);
            Assert.True(
                tensor.DType == "U8"
                    ? tensor.Data.SequenceEqual(converted[name].Data)
                    : tensor.Values.SequenceEqual(converted[name].Values),
                name
            );
        }
        AssertSameLogits(A, target);
    }

    [Theory]
    [InlineData("C")]
    [InlineData("C-bf16.gguf")]
    public void Experts_of_numbers_stay_so_and_the_tokens_that_end_an_answer_go_with_them(string source)
    {
        using var folder = new TemporaryFolder();
        List<string> lines = Convert(source == "C" ? C : GgufVectors.PathOf(source), folder, out string target);
        Assert.Contains("experts in BF16", lines[^1]);
        AssertSameLogits(C, target);
        using var original = new LoadedModel(source == "C" ? C : GgufVectors.PathOf(source));
        using var converted = new LoadedModel(target);
        Assert.Equal(original.Model.StopTokens, converted.Model.StopTokens);
        Assert.Equal(original.Model.ContextLength, converted.Model.ContextLength);
    }

    [Fact]
    public void Experts_that_are_unpacked_and_packed_again_are_the_same_model()
    {
        using var folder = new TemporaryFolder();
        Convert(A, folder, out string numbers, experts: ExpertForm.BFloat16);
        Assert.Contains("model.layers.0.mlp.experts.gate_up_proj", FineTunes.Read(numbers).Keys);
        // Another kernel, whose sums have another order.
        AssertSameLogits(A, numbers, tolerance: FixtureTests.Tolerance);
        List<string> lines = Convert(numbers, folder, out string packed, experts: ExpertForm.Mxfp4, name: "packed");
        Assert.All(lines[..^1], line => Assert.EndsWith("packed, error 0.0000 of its size", line));
        Assert.Equal(5, lines.Count); // two projections of two layers
        AssertSameLogits(A, packed);
    }

    [Fact]
    public void The_error_of_packing_is_told_for_each_tensor()
    {
        using var folder = new TemporaryFolder();
        List<string> lines = Convert(C, folder, out string target, experts: ExpertForm.Mxfp4);
        Assert.Equal(9, lines.Count);
        Dictionary<string, TinyTensor> original = FineTunes.Read(C),
            packed = FineTunes.Read(target);
        foreach (string line in lines[..^1])
        {
            string name = line[..line.IndexOf(':', StringComparison.Ordinal)];
            double told = double.Parse(
                line.Split("error ")[1].Split(' ')[0],
                System.Globalization.CultureInfo.InvariantCulture
            );
            float[] values = original[name].SwapLastTwo().Values;
            byte[] codes = packed[name + "_blocks"].Data,
                scales = packed[name + "_scales"].Data;
            double[] steps = [0, 0.5, 1, 1.5, 2, 3, 4, 6];
            double error = 0,
                size = 0;
            for (int i = 0; i < values.Length; i++)
            {
                int code = codes[i / 2] >> 4 * (i % 2) & 15;
                double value = steps[code & 7] * (code > 7 ? -1 : 1) * Math.ScaleB(1, scales[i / 32] - 127);
                error += (value - values[i]) * (value - values[i]);
                size += (double)values[i] * values[i];
            }
            Assert.Equal(Math.Sqrt(error / size), told, 0.00006);
            Assert.InRange(told, 0.05, 0.2);
        }
    }

    [Theory]
    [InlineData("attention")]
    [InlineData("patterns")]
    [InlineData("experts-fused-swapped")]
    [InlineData("tinker-raw")]
    public void A_merged_adapter_is_rounded_once(string name)
    {
        using var folder = new TemporaryFolder();
        Convert(C, folder, out string target, adapter: AdapterVectors.PathOf(name));
        using JsonDocument expected = AdapterVectors.Expected(name);
        int[] prompt = FixtureTests.Ints(expected, "prompt")[..100];
        using var apart = new LoadedModel(C, adapter: AdapterVectors.PathOf(name));
        using var merged = new LoadedModel(target);
        using var without = new LoadedModel(C);
        float[][] exact = apart.Logits(prompt);
        double rounding = Distance(exact, merged.Logits(prompt)),
            change = Distance(exact, without.Logits(prompt));
        Figure.Tell($"{name}: {rounding:0.000} of {change:0.000}");
        // A bfloat16 has an error of 2⁻⁹ at most, and the delta is a tenth of the weights.
        Assert.InRange(rounding, 0, change / 10);
    }

    [Fact]
    public void A_head_that_only_the_adapter_has_is_written_though_the_base_has_the_embedding_for_it()
    {
        using var folder = new TemporaryFolder();
        string tied = Directory.CreateDirectory(Path.Combine(folder.Path, "tied")).FullName;
        JsonObject config = JsonNode.Parse(File.ReadAllText(Path.Combine(C, "config.json")))!.AsObject();
        config["tie_word_embeddings"] = true;
        File.WriteAllText(Path.Combine(tied, "config.json"), config.ToJsonString());
        SafetensorsWriter.Write(
            Path.Combine(tied, "model.safetensors"),
            [.. FineTunes.Read(C).Where(tensor => tensor.Key != "lm_head.weight")]
        );
        string adapter = AdapterVectors.PathOf("patterns"); // with a head of its own
        Assert.Contains("base_model.model.lm_head.weight", AdapterVectors.Tensors("patterns").Keys);
        Convert(tied, folder, out string target, adapter: adapter);
        int[] prompt = LoadedModel.Prompt(20, 512);
        using var apart = new LoadedModel(tied, adapter: adapter);
        using var merged = new LoadedModel(target);
        using var without = new LoadedModel(tied);
        double change = Distance(apart.Logits(prompt), without.Logits(prompt));
        Assert.InRange(Distance(apart.Logits(prompt), merged.Logits(prompt)), 0, change / 10);
    }

    [Fact]
    public void Every_weight_of_a_merged_matrix_is_the_nearest_number()
    {
        using var folder = new TemporaryFolder();
        Convert(C, folder, out string target, adapter: AdapterVectors.PathOf("attention"));
        Dictionary<string, TinyTensor> pairs = AdapterVectors.Tensors("attention");
        const string name = "model.layers.2.self_attn.k_proj";
        float[] a = pairs[$"base_model.model.{name}.lora_A.weight"].Values,
            b = pairs[$"base_model.model.{name}.lora_B.weight"].Values,
            w = FineTunes.Read(C)[name + ".weight"].Values,
            merged = FineTunes.Read(target)[name + ".weight"].Values;
        int inputs = 64,
            rank = 8;
        for (int i = 0; i < w.Length; i++)
        {
            double exact = w[i];
            for (int k = 0; k < rank; k++)
                exact += 16.0 / rank * b[i / inputs * rank + k] * a[k * inputs + i % inputs];
            // Half of the last of eight digits, and what float32 may have moved before.
            Assert.InRange(Math.Abs(merged[i] - exact), 0, Math.Abs(exact) * (Math.ScaleB(1, -8) + 1e-6) + 1e-7);
        }
    }

    [Fact]
    public void Files_are_cut_at_a_size_and_an_index_names_them()
    {
        using var folder = new TemporaryFolder();
        Convert(A, folder, out string target, shardBytes: 40_000);
        string[] files = [.. Directory.GetFiles(target, "*.safetensors").Order(StringComparer.Ordinal)];
        Assert.True(files.Length > 3);
        Assert.EndsWith($"model-00001-of-{files.Length:D5}.safetensors", files[0]);
        AssertSameLogits(A, target);
    }

    [Fact]
    public void A_target_that_exists_stays_as_it_is()
    {
        using var folder = new TemporaryFolder();
        string target = Path.Combine(folder.Path, "out");
        File.WriteAllText(target, "mine");
        Assert.Contains("exists already", Assert.Throws<IOException>(() => Convert(A, folder, out _)).Message);
        Assert.Equal("mine", File.ReadAllText(target));
        File.Move(target, target + ".partial");
        Assert.Contains("another conversion", Assert.Throws<IOException>(() => Convert(A, folder, out _)).Message);
        Assert.Equal("mine", File.ReadAllText(target + ".partial"));
    }

    [Fact]
    public void Of_two_conversions_that_begin_at_once_one_goes_on_and_the_other_deletes_nothing_of_it()
    {
        using TemporaryFolder folder = new(),
            model = new(),
            adapter = new();
        AdapterVectors.WriteOfEitherOrder(model, adapter);
        CancellationToken stop = TestContext.Current.CancellationToken;
        using ManualResetEventSlim isHeld = new(),
            mayGoOn = new();
        string target = Path.Combine(folder.Path, "out");
        var second = new Conversion
        {
            Source = model.Path,
            Target = target,
            Adapter = adapter.Path,
        };
        // The note of the adapter comes when the second has found nothing in its way, and has made nothing yet.
        Task late = Task.Run(
            () =>
                second.Run(
                    _ =>
                    {
                        isHeld.Set();
                        mayGoOn.Wait(stop);
                    },
                    _ => { },
                    stop
                ),
            stop
        );
        isHeld.Wait(stop);
        var first = new Conversion { Source = model.Path, Target = target };
        first.Run(
            _ => { },
            _ =>
            {
                mayGoOn.Set();
                Exception? refusal = Record.Exception(() => late.Wait(stop));
                Assert.Contains("another conversion", refusal?.InnerException?.Message);
            },
            stop
        );
        Assert.Equal(["out"], Directory.EnumerateFileSystemEntries(folder.Path).Select(Path.GetFileName));
        new LoadedModel(target).Dispose();
    }

    [Fact]
    public void Nothing_stays_of_a_conversion_that_was_ended()
    {
        using var folder = new TemporaryFolder();
        using var stop = new CancellationTokenSource();
        var conversion = new Conversion { Source = C, Target = Path.Combine(folder.Path, "out") };
        Assert.ThrowsAny<OperationCanceledException>(() => conversion.Run(_ => { }, done => stop.Cancel(), stop.Token));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    [Trait("speed", "slow")] // a process
    public void The_tool_converts_and_says_what_it_made()
    {
        using var folder = new TemporaryFolder();
        string target = Path.Combine(folder.Path, "out");
        ToolRun run = Tool.Run(
            "convert",
            GgufVectors.PathOf("C-mxfp4.gguf"),
            target,
            "--adapter",
            AdapterVectors.PathOf("experts-down-only"),
            "--experts",
            "mxfp4"
        );
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("model.layers.1.mlp.experts.down_proj: packed, error 0.", run.Output);
        Assert.Contains($"Wrote {target}: 1 file of weights", run.Output);
        // One line more is about the tokenizer.
        Assert.Equal(3, run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Tool.Run("convert", C, target).AssertRefused(1, "exists already");
        Tool.Run("convert", C, "").AssertRefused(2, "OUT is an empty text");
    }

    [Theory]
    [InlineData("special_tokens_map.json", "pipe")]
    [InlineData("chat_template.jinja", "/dev/zero")]
    public async Task A_small_file_that_is_no_regular_file_is_refused_before_anything_is_written(
        string name,
        string target
    )
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no FIFOs in the file system.");
        using var folder = new TemporaryFolder();
        string source = Path.Combine(folder.Path, "in");
        Directory.CreateDirectory(source);
        foreach (string file in Directory.GetFiles(A))
            File.Copy(file, Path.Combine(source, Path.GetFileName(file)));
        using (Process made = Process.Start("mkfifo", [Path.Combine(folder.Path, "pipe")]))
            await made.WaitForExitAsync(TestContext.Current.CancellationToken);
        File.CreateSymbolicLink(Path.Combine(source, name), target[0] == '/' ? target : $"../{target}");

        Task converted = Task.Run(() => Convert(source, folder, out _), TestContext.Current.CancellationToken);
        var error = await Assert.ThrowsAsync<CheckpointException>(() =>
            converted.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken)
        );
        Assert.Contains(name, error.Message);
        Assert.Contains("not a regular file", error.Message);
        Assert.Empty(Directory.GetDirectories(folder.Path, "out*"));
    }

    private static List<string> Convert(
        string source,
        TemporaryFolder folder,
        out string target,
        ExpertForm? experts = null,
        string? adapter = null,
        long shardBytes = ShardWriter.UsualBytes,
        string name = "out"
    )
    {
        target = Path.Combine(folder.Path, name);
        var lines = new List<string>();
        new Conversion
        {
            Source = source,
            Target = target,
            Experts = experts,
            Adapter = adapter,
            ShardBytes = shardBytes,
        }.Run(lines.Add, _ => { }, CancellationToken.None);
        Assert.Equal([target], Directory.GetDirectories(folder.Path, name + "*"));
        return lines;
    }

    private static void AssertSameLogits(string expected, string actual, double tolerance = 0)
    {
        int[] prompt = LoadedModel.Prompt(60, 512);
        using var first = new LoadedModel(expected, threads: 2);
        using var second = new LoadedModel(actual, threads: 2);
        float[][] a = first.Logits(prompt),
            b = second.Logits(prompt);
        if (tolerance > 0)
            Assert.InRange(Distance(a, b), 0, tolerance);
        else
            for (int position = 0; position < a.Length; position++)
                Sample.AssertSameBits(a[position], b[position], $"position {position}");
    }

    private static double Distance(float[][] a, float[][] b) =>
        a.Zip(b, (x, y) => x.Zip(y, (p, q) => (double)Math.Abs(p - q)).Max()).Max();
}
