using System.Text.Json;
using GptOss.Cli.Inspect;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Cli;

public sealed class InspectCommandTests
{
    [Theory]
    [InlineData(24, 32, 20_914_757_184, 3_608_307_264, 13_761_264_768, 459)] // gpt-oss-20b
    [InlineData(36, 128, 116_829_156_672, 5_132_849_472, 65_248_815_744, 687)] // gpt-oss-120b
    public void The_published_models_have_their_published_sizes(
        int layers,
        int experts,
        long parameters,
        long active,
        long bytes,
        int tensors
    )
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A file of this size without content would take its space there.");
        using var folder = new TemporaryFolder();
        PublishedCheckpoint.Write(folder.Path, layers, experts);

        var inspection = Inspection.Of(folder.Path, context: 4096);

        Assert.Equal(parameters, inspection.Parameters);
        Assert.Equal(active, inspection.ActiveParameters);
        Assert.Equal(bytes, inspection.TensorBytes);
        Assert.Equal(tensors, inspection.Files.Sum(file => file.Tensors));
        Assert.Equal(22, inspection.Tensors.Count); // 19 of a layer, and the three that are there once
        // 4,096 bytes per token and layer; sliding layers keep 128 tokens.
        Assert.Equal(4096L * (4096 + 128) * layers / 2, Assert.Single(inspection.Memory).KeyValueBytes);
    }

    [Theory]
    [InlineData(nameof(TinyLayout.HuggingFace), nameof(TinyExperts.BFloat16OfMxfp4))]
    [InlineData(nameof(TinyLayout.Original), nameof(TinyExperts.Mxfp4))]
    [InlineData(nameof(TinyLayout.Original), nameof(TinyExperts.BFloat16OfMxfp4))]
    public void The_counts_do_not_depend_on_how_the_weights_are_stored(string layout, string experts)
    {
        using var folder = new TemporaryFolder();
        using var plain = new TemporaryFolder();
        TinyCheckpoint.Write(plain.Path, seed: 1);
        TinyCheckpoint.Write(
            folder.Path,
            new TinyShape { Layout = Enum.Parse<TinyLayout>(layout), Experts = Enum.Parse<TinyExperts>(experts) },
            seed: 1
        );

        var expected = Inspection.Of(plain.Path, context: null);
        var actual = Inspection.Of(folder.Path, context: null);

        Assert.Equal((expected.Parameters, expected.ActiveParameters), (actual.Parameters, actual.ActiveParameters));
        Assert.Equal(expected.Memory[0].KeyValueBytes, actual.Memory[0].KeyValueBytes);
    }

    [Fact]
    public void Verifying_reads_every_weight_and_names_the_one_that_is_not_finite()
    {
        using var folder = new TemporaryFolder();
        TinyCheckpoint.Write(folder.Path, seed: 1);
        Assert.True(Inspection.Verified(folder.Path, context: null, TestContext.Current.CancellationToken).IsVerified);

        string weights = Directory.GetFiles(folder.Path, "*.safetensors").Single();
        using (FileStream file = new(weights, FileMode.Open))
        {
            file.Position = file.Length - 4;
            file.Write([0xFF, 0xFF, 0xFF, 0xFF]);
        }
        Assert.False(Inspection.Of(folder.Path, context: null).IsVerified);
        var error = Assert.Throws<CheckpointException>(() =>
            Inspection.Verified(folder.Path, context: null, TestContext.Current.CancellationToken)
        );
        Assert.Contains("holds a value that is not finite, at element", error.Message);
        Assert.Equal(weights, error.FilePath);
        Assert.NotNull(error.TensorName);
    }

    [Fact]
    public void Json_is_one_object_on_one_line()
    {
        ToolRun run = Tool.Run("inspect", TinyGptOss.Folder, "--json", "--context", "100");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Single(run.Output.TrimEnd('\n').Split('\n'));
        using var json = JsonDocument.Parse(run.Output);
        Assert.Equal(4_681_632, json.RootElement.GetProperty("parameters").GetInt64());
        Assert.Equal("HuggingFace", json.RootElement.GetProperty("layout").GetString());
        Assert.Equal(100, json.RootElement.GetProperty("memory")[0].GetProperty("context").GetInt32());
        // 6 layers, 2 heads of 32, keys and values, 4 bytes.
        Assert.Equal(
            100 * 6 * 2 * 32 * 2 * 4,
            json.RootElement.GetProperty("memory")[0].GetProperty("key_value_bytes").GetInt64()
        );
    }

    [Fact]
    public void The_memory_that_a_model_would_have_for_keys_and_values_is_told()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using var json = JsonDocument.Parse(Tool.Run("inspect", model.Folder, "--json").Output);
        JsonElement budget = json.RootElement.GetProperty("budget");
        long bytes = budget.GetProperty("bytes").GetInt64(),
            page = model.Engine.Cache.PageBytes / 2; // either group has one of the two layers
        // So small a model is not short of memory: it has what sixteen full contexts use, there as here.
        Assert.Equal(model.Engine.Cache.Pool.BudgetBytes, bytes);
        Assert.Equal(bytes / page, budget.GetProperty("pages").GetInt64());
        Assert.Equal(bytes / page / 2 * 64, budget.GetProperty("tokens").GetInt64());
        Assert.True(budget.GetProperty("is_default").GetBoolean());
        Assert.Matches("\n  budget +[^\n]+, the default here\n", Tool.Run("inspect", model.Folder).Output);
    }

    [Fact]
    public void Tables_are_plain_where_no_terminal_shows_them()
    {
        ToolRun run = Tool.Run("inspect", TinyGptOss.Folder);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("\n  *.self_attn.q_proj.weight ", run.Output);
        Assert.Contains("2,717,088", run.Output);
        Assert.DoesNotContain('\u001b', run.Output);
        Assert.DoesNotContain('│', run.Output);
        Assert.StartsWith(TinyGptOss.Folder + "\n", run.Output);
        Assert.Equal(run.Output, Tool.Run("inspect", "--model", TinyGptOss.Folder).Output);
    }

    [Theory]
    [InlineData(24, 32)]
    [InlineData(36, 128)]
    public void The_tensors_of_the_published_models_fit_eighty_columns(int layers, int experts)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A file of this size without content would take its space there.");
        using var folder = new TemporaryFolder();
        PublishedCheckpoint.Write(folder.Path, layers, experts);

        string[] lines =
        [
            .. InspectionSheets
                .Of(Inspection.Of(folder.Path, context: null))
                .SelectMany(sheet => sheet.Plain().Split('\n')[1..]),
        ];
        Assert.Contains(lines, line => line.Contains("gate_up_proj_blocks", StringComparison.Ordinal));
        Assert.All(lines, line => Assert.InRange(line.Length, 0, 80));
    }
}
