using System.Text.Json;
using GptOss.Cli.Bench;

namespace GptOss.Tests.Cli;

public sealed class BenchCommandTests
{
    [Fact]
    public void A_shape_has_the_bytes_of_the_published_checkpoint()
    {
        Assert.Equal(13_761_264_768, PublishedShape.Small.WeightBytes(24));
        Assert.Equal(65_248_815_744, PublishedShape.Large.WeightBytes(36));
    }

    [Fact]
    public void Memory_that_will_not_do_is_refused_with_the_numbers_and_a_way_out()
    {
        var request = new BenchRequest(null, PublishedShape.Small, 24, 256, 32, 3, ModelOptions.Default);

        BenchCommand.CheckMemory(request, available: 16L << 30);
        var refusal = Assert.Throws<InsufficientMemoryException>(() =>
            BenchCommand.CheckMemory(request, available: 8L << 30)
        );

        Assert.Contains("13.09 GiB", refusal.Message);
        Assert.Contains("8.00 GiB", refusal.Message);
        // 2.16 GiB of embedding and head, 0.25 GiB of overhead, 0.44 GiB a layer; keys and values are 0.03 GiB of the
        // whole.
        Assert.Contains("--layers 12", refusal.Message);
        Assert.Contains(
            "Not even one layer",
            Assert
                .Throws<InsufficientMemoryException>(() => BenchCommand.CheckMemory(request, available: 1L << 30))
                .Message
        );
    }

    [Fact]
    public void The_packed_copy_of_the_head_counts_in_fast()
    {
        long Needed(Precision precision)
        {
            var request = new BenchRequest(
                null,
                PublishedShape.Small,
                1,
                256,
                32,
                3,
                new ModelOptions { Precision = precision }
            );
            // The least that is enough, by halving.
            long low = 0,
                high = 1L << 40;
            while (high - low > 1)
            {
                long middle = (low + high) / 2;
                try
                {
                    BenchCommand.CheckMemory(request, middle);
                    high = middle;
                }
                catch (InsufficientMemoryException)
                {
                    low = middle;
                }
            }
            return high;
        }

        Assert.Equal(201_088L * 2880 * 34 / 32, Needed(Precision.Fast) - Needed(Precision.Checkpoint));
    }

    [Fact]
    [Trait("speed", "slow")]
    public void The_figures_of_the_tiny_model_are_one_json_object_and_none_is_zero()
    {
        string[] also =
        [
            "--prefills",
            "8,40",
            "--workload",
            "edit",
            "--cancel",
            "--context",
            "300",
            "--model",
            TinyGptOss.Folder,
        ];
        ToolRun run = Tool.Run(["bench", "--json", "--prefill", "32", "--decode", "4", "--repetitions", "1", .. also]);

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        JsonElement figures = JsonElement.Parse(Assert.Single(run.Output.TrimEnd('\n').Split('\n')));
        Assert.All(
            (string[])
                [
                    "prefill_tok_per_s",
                    "decode_tok_per_s",
                    "read_bandwidth_gb_per_s",
                    "bytes_per_token",
                    "load_s",
                    "peak_memory_bytes",
                ],
            name => Assert.True(figures.GetProperty(name).GetDouble() > 0, name)
        );
        Assert.Equal(32, figures.GetProperty("prompt_tokens").GetInt32());
        Assert.Equal(4, figures.GetProperty("decode_tokens").GetInt32());
        JsonElement[] prefills = [.. figures.GetProperty("prefills").EnumerateArray()];
        Assert.Equal([8, 40], prefills.Select(p => p.GetProperty("tokens").GetInt32()));
        Assert.All(prefills, p => Assert.True(p.GetProperty("tok_per_s").GetDouble() > 0));
        JsonElement edit = figures.GetProperty("edit");
        Assert.All((string[])["plain_tok_per_s", "lookup_tok_per_s", "gain", "guessed_tokens", "acceptance"], name =>
            Assert.True(edit.GetProperty(name).GetDouble() > 0, name)
        );
        // Decoding and prefilling, each alone and beside others.
        JsonElement[] cancels = [.. figures.GetProperty("cancels").EnumerateArray()];
        Assert.Equal(
            ["300 1 0", "300 512 0", "300 1 3", "300 512 3"],
            cancels.Select(c =>
                $"{c.GetProperty("context_tokens")} {c.GetProperty("rows")} {c.GetProperty("streams_beside")}"
            )
        );
        Assert.All(cancels, c => Assert.True(c.GetProperty("worst_ms").GetDouble() > 0));
    }

    [Fact]
    [Trait("speed", "slow")]
    public void Answers_held_to_schemas_are_measured_beside_answers_that_are_not()
    {
        string[] also = ["--workload", "schemas", "--model", TinyGptOss.Folder];
        ToolRun run = Tool.Run(["bench", "--json", "--prefill", "32", "--decode", "4", "--repetitions", "1", .. also]);

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        JsonElement schemas = JsonElement.Parse(run.Output).GetProperty("schemas");
        Assert.All((string[])["plain_tok_per_s", "schema_tok_per_s", "ratio", "ratio_of_streams"], name =>
            Assert.True(schemas.GetProperty(name).GetDouble() > 0, name)
        );
    }

    [Fact]
    [Trait("speed", "slow")]
    public void Schemas_of_a_corpus_are_compiled_walked_and_judged()
    {
        ToolRun run = Tool.Run("bench", "constraints", "--json", "--corpus", Repository.Vector("constraints"));

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        JsonElement[] corpora = [.. JsonElement.Parse(run.Output).GetProperty("corpora").EnumerateArray()];
        Assert.Equal(["field", "tools"], corpora.Select(corpus => corpus.GetProperty("corpus").GetString()));
        Assert.All(corpora, AssertWhole);
        Assert.Equal([7, 0], corpora.Select(corpus => corpus.GetProperty("refused_as_expected").GetInt32()));

        static void AssertWhole(JsonElement corpus)
        {
            Assert.Empty(corpus.GetProperty("wrong").EnumerateArray());
            int refused = corpus.GetProperty("refused").GetInt32();
            Assert.Equal(corpus.GetProperty("refused_as_expected").GetInt32(), refused);
            Assert.Equal(refused, corpus.GetProperty("refused_by").EnumerateArray().Sum(by => Count(by)));
            Assert.Equal(corpus.GetProperty("schemas").GetInt32() - refused, Count(corpus.GetProperty("compile_ms")));
            Assert.Equal(
                Count(corpus.GetProperty("masks_us")),
                Count(corpus.GetProperty("first_visits_us")) + Count(corpus.GetProperty("visited_us"))
            );
            Assert.All((string[])["masks_us", "first_visits_us", "visited_us", "compile_ms", "kept_bytes"], name =>
            {
                double[] rising =
                [
                    .. ((string[])["p50", "p99", "p999", "max"]).Select(at =>
                        corpus.GetProperty(name).GetProperty(at).GetDouble()
                    ),
                ];
                Assert.True(rising[0] > 0, name);
                Assert.Equal(rising.Order(), rising);
            });
            // Names of properties are forced in both, and much else is not.
            Assert.InRange(corpus.GetProperty("forced_share").GetDouble(), 0.05, 0.5);
        }

        static int Count(JsonElement of) => of.GetProperty("count").GetInt32();
    }

    [Fact]
    public void Verdicts_that_the_engine_does_not_share_are_counted_and_shown()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(
            Path.Combine(folder.Path, "own.jsonl"),
            """
            {"id":"a","schema":{"type":"integer"},"tests":[{"data":1,"valid":false},{"data":2,"valid":true}]}
            {"id":"d","schema":{"type":"integer"},"tests":[{"text":"[]","valid":true},{"data":3,"valid":null}]}
            {"id":"b","schema":true,"expect":{"refused":{"keyword":null,"pointer":""}},"tests":[]}
            {"id":"c","schema":{"uniqueItems":true},"tests":[{"data":[],"valid":true}]}

            """
        );

        ToolRun run = Tool.Run("bench", "constraints", "--corpus", folder.Path);

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        string[] lines =
        [
            .. run
                .Output.Split('\n')
                .Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries))),
        ];
        Assert.All(
            (string[])
                [
                    "schemas 4",
                    "refused 1",
                    "… by uniqueItems 1",
                    "verdicts 3",
                    "wrong 3",
                    "… a: 1",
                    "… d: []",
                    "… b: compiled",
                ],
            line => Assert.Contains(line, lines)
        );
    }

    [Fact]
    public void A_folder_without_schemas_a_line_that_is_none_and_options_of_a_model_are_wrong_usage()
    {
        using var folder = new TemporaryFolder();

        Tool.Run("bench", "constraints", "--corpus", folder.Path).AssertRefused(2, "ends in .jsonl");
        File.WriteAllText(Path.Combine(folder.Path, "own.jsonl"), "{\"id\":\"a\"}\n");
        Tool.Run("bench", "constraints", "--corpus", folder.Path).AssertRefused(2, "own.jsonl, line 1");
        Tool.Run("bench", "--json", "constraints", "--corpus", folder.Path).AssertRefused(2, "--json before");
    }

    [Fact]
    public void A_model_of_the_users_own_is_not_refused() =>
        BenchCommand.CheckMemory(new BenchRequest("folder", null, 0, 256, 32, 3, ModelOptions.Default), available: 0);
}
