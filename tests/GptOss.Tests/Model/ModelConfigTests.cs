using System.Text.Json;
using System.Text.Json.Nodes;
using GptOss.Checkpoint;
using GptOss.Model;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Model;

public sealed class ModelConfigTests
{
    private const string Path = "folder/config.json";

    private static readonly TinyShape Shape = new() { NumHiddenLayers = 3, LayerTypes = "fsf" };

    [Fact]
    public void The_hugging_face_form_is_read_field_by_field()
    {
        ModelConfig c = Read(TinyConfig.HuggingFace(Shape));

        Assert.Equal(CheckpointLayout.HuggingFace, c.Layout);
        Assert.Equal((3, 64, 96, 512), (c.NumHiddenLayers, c.HiddenSize, c.IntermediateSize, c.VocabSize));
        Assert.Equal((4, 2, 32), (c.NumAttentionHeads, c.NumKeyValueHeads, c.HeadDim));
        Assert.Equal((6, 4), (c.NumLocalExperts, c.ExpertsPerToken));
        Assert.Equal((16, 1e-5f, 7f, 1.702f), (c.SlidingWindow, c.RmsNormEps, c.SwiGluLimit, c.SwiGluAlpha));
        Assert.Equal([false, true, false], c.IsSliding);
        Assert.Equal(8192, c.MaxPositions);
        Assert.Equal((128, 64, 2), (c.QueryWidth, c.KeyValueWidth, c.HeadsPerKeyValueHead));
        Assert.Equal((150000.0, 32.0, 32.0, 1.0), (c.Rope.Theta, c.Rope.Factor, c.Rope.BetaFast, c.Rope.BetaSlow));
        Assert.Equal((256, false, false), (c.Rope.OriginalContext, c.Rope.Truncate, c.TieWordEmbeddings));
    }

    [Fact]
    public void The_original_form_gives_the_same_model_with_what_openai_has_in_code()
    {
        var shape = new TinyShape { NumHiddenLayers = 3 };
        ModelConfig c = Read(TinyConfig.Original(shape)),
            other = Read(TinyConfig.HuggingFace(shape));
        Assert.Equal(CheckpointLayout.Original, c.Layout);
        Assert.Equal([true, false, true], c.IsSliding);
        Assert.Equal(other with { Layout = c.Layout, IsSliding = c.IsSliding }, c);
    }

    [Fact]
    public void The_form_of_transformers_5_says_the_same() =>
        Assert.Equal(
            Read(TinyConfig.HuggingFace(Shape)).Rope,
            Read(TinyConfig.HuggingFace(Shape with { RopeParameters = true })).Rope
        );

    [Fact]
    public void Null_layer_types_mean_that_even_layers_slide() =>
        Assert.Equal([true, false, true], Read(With("layer_types", null)).IsSliding);

    [Fact]
    public void Experts_per_token_is_read_where_the_longer_name_is_missing()
    {
        JsonObject config = TinyConfig.HuggingFace(Shape);
        config.Remove("num_experts_per_tok");
        config["experts_per_token"] = 2;
        Assert.Equal(2, Read(config).ExpertsPerToken);
    }

    [Fact]
    public void A_config_without_quantization_is_read_like_one_with_it()
    {
        JsonObject config = TinyConfig.HuggingFace(Shape);
        Assert.True(config.Remove("quantization_config"));
        Assert.Equal(96, Read(config).IntermediateSize);
    }

    [Theory]
    [InlineData("num_hidden_layers")]
    [InlineData("hidden_size")]
    [InlineData("intermediate_size")]
    [InlineData("num_attention_heads")]
    [InlineData("num_key_value_heads")]
    [InlineData("head_dim")]
    [InlineData("num_local_experts")]
    [InlineData("vocab_size")]
    [InlineData("sliding_window")]
    [InlineData("model_type")]
    public void A_required_field_that_is_missing_null_or_of_another_kind_is_refused_by_name(string field)
    {
        JsonObject without = TinyConfig.HuggingFace(Shape);
        without.Remove(field);
        AssertRefused(without, field, ", found nothing.");
        AssertRefused(With(field, null), field, "null");
        AssertRefused(With(field, "[1]"), field, "an array");
        AssertRefused(With(field, "{}"), field, "an object");
        AssertRefused(With(field, "true"), field, "true");
    }

    [Theory]
    [InlineData("num_hidden_layers", "0", "1 to 1024")]
    [InlineData("num_hidden_layers", "1000000", "1 to 1024")]
    [InlineData("hidden_size", "-64", "-64")]
    [InlineData("hidden_size", "64.5", "64.5")]
    [InlineData("hidden_size", "\"64\"", "'64'")]
    [InlineData("hidden_size", "99999999999999999999", "99999999999999999999")]
    [InlineData("intermediate_size", "0", "a whole number")]
    [InlineData("intermediate_size", "1048576000", "1048576000")]
    [InlineData("num_attention_heads", "3", "a multiple of num_key_value_heads 2")]
    [InlineData("num_attention_heads", "1048576", "at most")] // times head_dim 32
    [InlineData("num_key_value_heads", "0", "a whole number")]
    [InlineData("head_dim", "33", "even")]
    [InlineData("head_dim", "0", "a whole number")]
    [InlineData("num_local_experts", "0", "a whole number")]
    [InlineData("num_local_experts", "1048576000", "a whole number")]
    [InlineData("num_experts_per_tok", "7", "1 to 6")] // of 6 experts
    [InlineData("num_experts_per_tok", "0", "1 to 6")]
    [InlineData("vocab_size", "1000000000", "a whole number")]
    [InlineData("sliding_window", "0", "a whole number")]
    [InlineData("layer_types", "[]", "3 layers")]
    [InlineData("layer_types", "[\"full_attention\",\"full_attention\",\"chunked_attention\"]", "'chunked_attention'")]
    [InlineData("layer_types", "[1,2,3]", "array of strings")]
    [InlineData("layer_types", "\"full_attention\"", "array of strings")]
    [InlineData("rms_norm_eps", "0", "positive")]
    [InlineData("rms_norm_eps", "-1e-5", "positive")]
    [InlineData("rms_norm_eps", "1e-60", "positive")] // zero in float32
    [InlineData("swiglu_limit", "0", "positive")]
    [InlineData("swiglu_limit", "1e300", "positive")]
    [InlineData("rope_theta", "-1", "positive")]
    [InlineData("rope_theta", "1", "above 1")]
    [InlineData("max_position_embeddings", "0", "a whole number")]
    [InlineData("initial_context_length", "\"x\"", "a whole number")] // though rope_scaling has its own
    [InlineData("model_type", "\"llama\"", "'llama'")]
    [InlineData("hidden_act", "\"gelu\"", "'gelu'")]
    [InlineData("tie_word_embeddings", "1", "true or false")]
    [InlineData("rope_scaling", "null", "expected an object with the YaRN parameters, found null")]
    [InlineData("rope_scaling", "[]", "an object")]
    public void A_field_out_of_range_is_refused_by_name(string field, string value, string expected) =>
        AssertRefused(With(field, value), field, expected);

    [Theory]
    [InlineData("factor", "0", "positive")]
    [InlineData("factor", "\"32\"", "a number")]
    [InlineData("beta_fast", "-1", "positive")]
    [InlineData("beta_slow", "0", "positive")]
    [InlineData("original_max_position_embeddings", "0", "a whole number")]
    [InlineData("truncate", "0", "true or false")]
    [InlineData("rope_type", "\"longrope\"", "'longrope'")]
    [InlineData("rope_theta", "0.5", "above 1")]
    public void A_rope_field_out_of_range_is_refused_by_its_full_name(string field, string value, string expected)
    {
        JsonObject config = TinyConfig.HuggingFace(Shape);
        config["rope_scaling"]![field] = JsonNode.Parse(value);
        AssertRefused(config, $"rope_scaling.{field}", expected);
    }

    [Fact]
    public void A_missing_factor_is_refused_and_a_missing_truncate_means_true()
    {
        JsonObject config = TinyConfig.HuggingFace(Shape);
        var rope = (JsonObject)config["rope_scaling"]!;
        rope.Remove("truncate");
        Assert.True(Read(config).Rope.Truncate);
        rope.Remove("factor");
        AssertRefused(config, "rope_scaling.factor", ", found nothing. YaRN");
    }

    [Theory]
    [InlineData("num_experts", "0")]
    [InlineData("experts_per_token", "9")]
    [InlineData("rope_ntk_alpha", "0")]
    [InlineData("rope_ntk_beta", "-1")]
    [InlineData("rope_scaling_factor", "-1")]
    [InlineData("initial_context_length", "0")]
    public void A_field_of_the_original_form_is_refused_by_its_own_name(string field, string value)
    {
        JsonObject config = TinyConfig.Original(new TinyShape());
        config[field] = JsonNode.Parse(value);
        AssertRefused(config, field, "expected ");
    }

    [Fact]
    public void Experts_per_token_are_never_guessed()
    {
        JsonObject config = TinyConfig.HuggingFace(Shape);
        config.Remove("num_experts_per_tok");
        config.Remove("experts_per_token");
        AssertRefused(config, "num_experts_per_tok", "or in experts_per_token, found nothing.");
        JsonObject original = TinyConfig.Original(new TinyShape());
        original.Remove("experts_per_token");
        AssertRefused(original, "num_experts_per_tok", ", found nothing.");
    }

    /// <summary>
    /// Two fields that mean the same: equal they are fine, and different ones are refused by the name of the second.
    /// </summary>
    [Theory]
    [InlineData("experts_per_token", "4", "2", "num_experts_per_tok is 4")]
    [InlineData("num_experts", "6", "8", "num_local_experts is 6")]
    [InlineData("rope_theta", "150000.0", "10000", "rope_scaling.rope_theta is 150000")]
    public void Two_fields_of_one_meaning_must_agree(string field, string same, string other, string says)
    {
        JsonObject config = With(field, same);
        config["rope_scaling"]!["rope_theta"] = 150000;
        Assert.NotNull(Read(config));
        config[field] = JsonNode.Parse(other);
        AssertRefused(config, field, says);
    }

    [Fact]
    public void Rope_parameters_and_rope_scaling_must_agree()
    {
        JsonObject config = TinyConfig.HuggingFace(Shape),
            newer = TinyConfig.HuggingFace(Shape with { RopeParameters = true });
        config["rope_parameters"] = newer["rope_parameters"]!.DeepClone();
        Assert.NotNull(Read(config));
        config["rope_parameters"]!["factor"] = 8;
        AssertRefused(config, "rope_scaling.factor", "rope_parameters.factor is 8");
    }

    [Theory]
    [InlineData("none")]
    [InlineData("default")]
    public void A_rope_that_is_not_scaled_has_no_factor(string type)
    {
        JsonObject config = TinyConfig.HuggingFace(Shape);
        config["rope_scaling"]!["rope_type"] = type;
        AssertRefused(config, "rope_scaling.factor", $"rope_type '{type}' means that nothing is scaled");
        config["rope_scaling"]!["factor"] = 1.0;
        Assert.Equal(1, Read(config).Rope.Factor);
        ((JsonObject)config["rope_scaling"]!).Remove("factor");
        Assert.Equal(1, Read(config).Rope.Factor);
    }

    [Fact]
    public void Numbers_may_be_written_as_python_writes_them()
    {
        string text = TinyConfig.HuggingFace(Shape).ToJsonString();
        string python = text.Replace(
            "\"hidden_size\":64",
            "\"hidden_size\":64.0, \"best_loss\":NaN, \"floor\":-Infinity",
            StringComparison.Ordinal
        );
        Assert.NotEqual(text, python);
        Assert.Equal(64, Read(System.Text.Encoding.UTF8.GetBytes(python)).HiddenSize);
        string broken = text.Replace("\"swiglu_limit\":7", "\"swiglu_limit\":Infinity", StringComparison.Ordinal);
        Assert.NotEqual(text, broken);
        var refusal = Assert.Throws<CheckpointException>(() => Read(System.Text.Encoding.UTF8.GetBytes(broken)));
        Assert.Equal("swiglu_limit", refusal.FieldName);
        Assert.Contains("expected a finite number, found Infinity", refusal.Message);
    }

    internal static ModelConfig Read(JsonObject config) => Read(JsonSerializer.SerializeToUtf8Bytes(config));

    private static JsonObject With(string field, string? value)
    {
        JsonObject config = TinyConfig.HuggingFace(Shape);
        config[field] = value is null ? null : JsonNode.Parse(value);
        return config;
    }

    private static void AssertRefused(JsonObject config, string field, string says)
    {
        var refusal = Assert.Throws<CheckpointException>(() => Read(config));
        Assert.Equal(field, refusal.FieldName);
        Assert.Equal(Path, refusal.FilePath);
        Assert.StartsWith($"{Path}: field '{field}': ", refusal.Message);
        Assert.Contains(says, refusal.Message);
    }

    private static ModelConfig Read(byte[] json) =>
        ModelConfig.From(JsonFields.Parse(json, Path, TestContext.Current.CancellationToken));
}
