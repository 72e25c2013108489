// Over 300 lines: one table of configurations with the words that each refusal must hold.
using System.Globalization;

namespace GptOss.Tests.OddFolders;

/// <summary>config.json: each field missing, of another kind, beyond its limits, or against another field.</summary>
internal static class ConfigCases
{
    private const string Config = "config.json",
        Generation = "generation_config.json";

    private const int MaxDimension = 1 << 20,
        MaxPosition = 1 << 27;

    // The fields that must be there, their greatest values, and how the original layout calls them.
    private static readonly (string Field, int Most, string? Original)[] Whole =
    [
        ("num_hidden_layers", 1024, "num_hidden_layers"),
        ("num_local_experts", 4096, "num_experts"),
        ("hidden_size", MaxDimension, "hidden_size"),
        ("intermediate_size", MaxDimension, "intermediate_size"),
        ("num_attention_heads", MaxDimension, "num_attention_heads"),
        ("num_key_value_heads", MaxDimension, "num_key_value_heads"),
        ("head_dim", MaxDimension, "head_dim"),
        ("vocab_size", 1 << 24, "vocab_size"),
        ("sliding_window", MaxPosition, "sliding_window"),
        ("num_experts_per_tok", OddBase.Experts, null),
    ];

    // A field, a value as text, and words of the message.
    private static readonly (string Field, string Value, string[] Words)[] Values =
    [
        ("model_type", "\"llama\"", ["expected 'gpt_oss', found 'llama'", "no other architecture"]),
        ("model_type", "\"\"", ["expected 'gpt_oss', found ''"]),
        ("model_type", "\"GPT_OSS\"", ["expected 'gpt_oss', found 'GPT_OSS'"]),
        ("model_type", "7", ["expected a string, found 7"]),
        ("hidden_act", "\"gelu\"", ["expected 'silu', found 'gelu'"]),
        ("hidden_act", "1", ["expected a string, found 1"]),
        ("num_experts", "4", ["expected 3, since num_local_experts is 3, found 4"]),
        ("experts_per_token", "1", ["expected 2, since num_experts_per_tok is 2, found 1"]),
        ("head_dim", "15", ["an even number, for rotary pairs, found 15"]),
        ("head_dim", "1", ["a whole number from 2", "found 1"]),
        ("num_key_value_heads", "3", ["'num_attention_heads'", "a multiple of num_key_value_heads 3, found 4"]),
        ("num_attention_heads", "1048576", ["at most 1048576 together with head_dim, found 16777216"]),
        (
            "intermediate_size",
            "1048576",
            ["'model.layers.0.", "gate_up_proj", "[3, 2097152, 1, 16] but is U8 [3, 192, 1, 16]"]
        ),
        ("hidden_size", "1048576", ["'model.embed_tokens.weight'", "[960, 1048576] but is BF16 [960, 32]"]),
        ("vocab_size", "16777216", ["'model.embed_tokens.weight'", "[16777216, 32] but is BF16 [960, 32]"]),
        ("layer_types", "\"full_attention\"", ["an array of strings, found 'full_attention'"]),
        ("layer_types", "[]", ["one entry for each of 2 layers, found 0"]),
        ("layer_types", "[\"full_attention\"]", ["one entry for each of 2 layers, found 1"]),
        (
            "layer_types",
            "[\"full_attention\",\"chunked\"]",
            ["'sliding_attention' or 'full_attention', found 'chunked'"]
        ),
        ("layer_types", "[1,2]", ["an array of strings, found 1"]),
        ("layer_types", "[null,null]", ["an array of strings, found null"]),
        ("rms_norm_eps", "0", ["a positive number within float32, found 0"]),
        ("rms_norm_eps", "-1e-5", ["a positive number within float32, found -1E-05"]),
        ("rms_norm_eps", "1e-60", ["a positive number within float32, found 1E-60"]),
        ("rms_norm_eps", "1e60", ["a positive number within float32, found 1E+60"]),
        ("rms_norm_eps", "NaN", ["a finite number, found NaN"]),
        ("rms_norm_eps", "\"1e-5\"", ["a number, found '1e-5'"]),
        ("rms_norm_eps", "1e999", ["a finite number, found 1e999"]),
        ("swiglu_limit", "0", ["a positive number within float32, found 0"]),
        ("swiglu_limit", "Infinity", ["a finite number, found Infinity"]),
        ("swiglu_limit", "true", ["a number, found true"]),
        ("swiglu_alpha", "-1", ["a positive number within float32, found -1"]),
        ("rope_theta", "1", ["a number above 1, found 1"]),
        ("rope_theta", "0", ["a positive number within float32, found 0"]),
        ("rope_theta", "-150000", ["a positive number within float32, found -150000"]),
        ("rope_theta", "[]", ["a number, found an array"]),
        ("rope_scaling", "null", ["an object with the YaRN parameters, found null"]),
        ("rope_scaling", "[]", ["an object, found an array"]),
        ("rope_scaling", "{}", ["'rope_scaling.factor'", "a number, found nothing"]),
        ("rope_scaling.rope_type", "\"longrope\"", ["expected 'yarn', found 'longrope'"]),
        ("rope_scaling.rope_type", "\"linear\"", ["expected 'yarn', found 'linear'"]),
        (
            "rope_scaling.rope_type",
            "\"default\"",
            ["'rope_scaling.factor'", "1, since rope_type 'default'", "found 32"]
        ),
        ("rope_scaling.factor", "0", ["a positive number within float32, found 0"]),
        ("rope_scaling.factor", "\"32\"", ["a number, found '32'"]),
        ("rope_scaling.beta_fast", "-32", ["a positive number within float32, found -32"]),
        ("rope_scaling.beta_slow", "0", ["a positive number within float32, found 0"]),
        ("rope_scaling.original_max_position_embeddings", "0", ["a whole number from 1", "found 0"]),
        ("rope_scaling.original_max_position_embeddings", "64.5", ["a whole number from 1", "found 64.5"]),
        ("rope_scaling.truncate", "\"false\"", ["true or false, found 'false'"]),
        ("rope_scaling.truncate", "0", ["true or false, found 0"]),
        ("rope_scaling.attention_factor", "0", ["a positive number within float32, found 0"]),
        ("rope_scaling.mscale_all_dim", "1.0", ["'rope_scaling.mscale_all_dim'", "expected null, found 1.0"]),
        ("rope_parameters", "{\"rope_theta\": 150000, \"factor\": 8, \"rope_type\": \"yarn\"}", ["'rope_", "32"]),
        ("tie_word_embeddings", "\"true\"", ["true or false, found 'true'"]),
        ("tie_word_embeddings", "true", ["false, since the files hold a head of their own, 'lm_head.weight'"]),
        ("attention_bias", "false", ["true, since the files hold 'model.layers.0.self_attn.q_proj.bias'"]),
        ("attention_bias", "1", ["true or false, found 1"]),
        ("max_position_embeddings", "0", ["a whole number from 1", "found 0"]),
        ("max_position_embeddings", "134217729", ["a whole number from 1 to 134217728, found 134217729"]),
        ("initial_context_length", "-1", ["a whole number from 1", "found -1"]),
        ("eos_token_id", "[]", ["at least one token, found none"]),
        ("quantization_config", "7", ["an object, found 7"]),
        ("quantization_config.quant_method", "\"gptq\"", ["expected 'mxfp4', found 'gptq'", "another tool"]),
        ("quantization_config.quant_method", "4", ["a string, found 4"]),
        ("quantization", "{\"bits\": 4}", ["nothing, found a field of MLX"]),
    ];

    // Sizes that contradict the tensors: the message names the first tensor that shows it.
    private static readonly (string Field, string Value, string[] Words)[] Contradictions =
    [
        ("num_hidden_layers", "1", ["'layer_types'", "one entry for each of 1 layers, found 2"]),
        ("num_hidden_layers", "3", ["'layer_types'", "one entry for each of 3 layers, found 2"]),
        ("num_local_experts", "2", ["model.safetensors", "mlp.router", "[2, 32] but is BF16 [3, 32]"]),
        ("num_local_experts", "4", ["model.safetensors", "mlp.router", "[4, 32] but is BF16 [3, 32]"]),
        ("hidden_size", "64", ["'model.embed_tokens.weight'", "[960, 64] but is BF16 [960, 32]"]),
        ("intermediate_size", "64", ["gate_up_proj", "[3, 128, 1, 16] but is U8 [3, 192, 1, 16]"]),
        ("intermediate_size", "90", ["gate_up_proj", "[3, 180, 1, 16] but is U8 [3, 192, 1, 16]"]),
        ("num_attention_heads", "8", ["q_proj", "[128, 32] but is BF16 [64, 32]"]),
        ("num_key_value_heads", "4", ["k_proj", "[64, 32] but is BF16 [32, 32]"]),
        ("head_dim", "32", ["q_proj", "[128, 32] but is BF16 [64, 32]"]),
        ("vocab_size", "959", [Generation, "'eos_token_id'", "a whole number from 0 to 958, found 959"]),
        ("vocab_size", "961", ["'model.embed_tokens.weight'", "[961, 32] but is BF16 [960, 32]"]),
        ("vocab_size", "201088", ["'model.embed_tokens.weight'", "[201088, 32] but is BF16 [960, 32]"]),
    ];

    public static IEnumerable<OddCase> All =>
        [
            .. Whole.SelectMany(one => OfWhole(OddBase.HuggingFace, one.Field, one.Most)),
            .. Whole
                .Where(one => one.Original is not null)
                .SelectMany(one => OfWhole(OddBase.Original, one.Original!, one.Most)),
            .. Values.Select(one =>
                With(OddBase.HuggingFace, one.Field, one.Value, [.. Own(one.Field, one.Words), .. one.Words])
            ),
            .. Contradictions.Select(one => With(OddBase.HuggingFace, one.Field, one.Value, one.Words)),
            With(OddBase.Original, "rope_scaling_factor", "0", "a positive number within float32, found 0"),
            With(OddBase.Original, "rope_ntk_alpha", "\"1\"", "a number, found '1'"),
            With(OddBase.Original, "rope_ntk_beta", "-1", "a positive number within float32, found -1"),
            With(OddBase.Original, "experts_per_token", "9", "a whole number from 1 to 3, found 9"),
            With(
                OddBase.Original,
                "num_hidden_layers",
                "1",
                "'block.1.",
                "belongs to layer 1, but num_hidden_layers of config"
            ),
            With(OddBase.Original, "num_hidden_layers", "3", "'block.2.", "not all of this model"),
            With(OddBase.Original, "num_experts", "4", "block.0.mlp.gate", "[4, 32] but is BF16 [3, 32]"),
            With(
                OddBase.Original,
                "num_key_value_heads",
                "4",
                "block.0.attn.qkv.weight",
                "[192, 32] but is BF16 [128, 32]"
            ),
            With(OddBase.Original, "model_type", "\"gpt_oss\"", "num_local_experts", "found nothing"),
            Of(
                "num_experts_per_tok under neither name",
                WithoutExpertsPerToken,
                "num_experts_per_tok",
                "experts_per_token"
            ),
            Of("model_type missing", f => f.Remove(Config, "model_type"), "'model_type'", "'gpt_oss', found nothing"),
            Of("rope_scaling missing", f => f.Remove(Config, "rope_scaling"), "'rope_scaling'", "found nothing"),
            Of(
                "factor missing",
                f => f.Remove(Config, "rope_scaling", "factor"),
                "rope_scaling.factor",
                "found nothing"
            ),
            TwoRopes("attention_factor", "2", "3", "expected 3, since rope_parameters.attention_factor is 3, found 2"),
            TwoRopes("truncate", "false", "true", "expected true, since rope_parameters.truncate is true, found false"),
            TwoRopes("rope_type", "\"yarn\"", "\"none\"", "expected 'none', since", "found 'yarn'"),
            Of(
                "a field twice",
                f => f.Set(Config, "head_dim", "16,\"head_dim\":16"),
                "'head_dim'",
                "once, found twice"
            ),
            Of(
                "a field twice inside",
                f => f.Set(Config, "rope_scaling", "{\"a\":1,\"a\":1}"),
                "rope_scaling.a",
                "twice"
            ),
            Of(
                "an unknown number beyond double",
                f => f.Set(Config, "x", "1e999"),
                "'x'",
                "a finite number, found 1e999"
            ),
            Of("empty", f => f.Write(Config, ""), "has 0 bytes, but should have at least 2"),
            Of("blank", f => f.Write(Config, "   "), "expected JSON"),
            Of("no object", f => f.Write(Config, "[1]"), "expected a JSON object, found an array"),
            Of("an empty object", f => f.Write(Config, "{}"), "'model_type'", "expected 'gpt_oss', found nothing"),
            Of("cut off", f => f.Text(Config, text => text[..^20]), "expected JSON", "an error in line 1"),
            Of(
                "with a comma too many",
                f => f.Text(Config, text => text[..^1] + ",}"),
                "expected JSON",
                "an error in line"
            ),
            Of("with a comment", f => f.Text(Config, text => "// x\n" + text), "expected JSON", "an error in line 1"),
            Of("in UTF-16", f => f.Bytes(Config, bytes => [0xFF, 0xFE, .. bytes]), "text in UTF-16", "UTF-8"),
            Of("no UTF-8", f => f.Text(Config, Latin), f => f.Bytes(Config, Lone), "UTF-8"),
            Of("of 17 MB", f => f.Text(Config, text => text + new string(' ', 17 << 20)), "at most 16777216"),
            Of("of 100,000 levels", f => f.Set(Config, "x", new string('[', 100_000)), "JSON of at most 64 levels"),
            Of("of too many values", f => f.Set(Config, "x", Zeros), "holds more than 2000000 names and values"),
            Of("of too many names", f => f.Set(Config, "x", Names), "holds more than 2000000 names and values"),
            Of("of zeros", f => f.Write(Config, new byte[1000]), "begins with zeros only"),
            Of("a page", f => f.Write(Config, "<html><body>Sign in</body></html>"), "a web page"),
            Of("an error of a server", f => f.Write(Config, "{\"error\":\"gated\"}"), "an error that a server sent"),
            Of("bare words", f => f.Write(Config, "Entry not found"), "is text ('Entry not found')"),
            Of("of YAML", f => f.Write(Config, "model_type: gpt_oss\n"), "is text ('model_type: gpt_oss"),
            Stops("no object", "[]", "expected a JSON object, found an array"),
            Stops("without stops", "{\"eos_token_id\": []}", "eos_token_id", "at least one token, found none"),
            Stops("a stop beyond the vocabulary", "{\"eos_token_id\": 960}", "eos_token_id", "0 to 959, found 960"),
            Stops("a stop below zero", "{\"eos_token_id\": [1, -1]}", "eos_token_id", "0 to 959, found -1"),
            Stops("a stop as text", "{\"eos_token_id\": \"end\"}", "eos_token_id", "found 'end'"),
            Stops("empty", "", "has 0 bytes"),
            Stops("cut off", "{\"eos_token_id\": [1", "expected JSON"),
        ];

    private static string Zeros => $"[{string.Join(',', Enumerable.Repeat('0', 2_000_000))}]";

    private static string Names => $"{{{string.Join(',', Enumerable.Range(0, 1_000_000).Select(i => $"\"{i}\":0"))}}}";

    private static IEnumerable<OddCase> OfWhole(OddBase sound, string field, int most)
    {
        string range = $"to {most.ToString(CultureInfo.InvariantCulture)}, found ",
            quoted = $"'{field}'";
        if (field != "num_experts_per_tok") // experts_per_token says the same
            yield return new(
                $"config, {sound.Name}: {field} missing",
                sound,
                f => f.Remove(Config, field),
                Config,
                "found nothing"
            );
        if (field != "num_experts_per_tok")
            yield return With(sound, field, "null", quoted, "found null");
        yield return With(sound, field, "\"8\"", quoted, range + "'8'");
        yield return With(sound, field, "0", quoted, range + "0");
        yield return With(sound, field, $"{most + 1L}", quoted, range + $"{most + 1L}");
        if (sound == OddBase.Original)
            yield break;
        yield return With(sound, field, "-8", quoted, range + "-8");
        yield return With(sound, field, "8.5", quoted, range + "8.5");
        yield return With(sound, field, "[8]", quoted, range + "an array");
        yield return With(sound, field, "18446744073709551617", quoted, range + "18446744073709551617");
    }

    // The field itself, where no word of the message names another place.
    private static string[] Own(string name, string[] words) =>
        words.Length > 0 && words[0].StartsWith('\'') ? [] : [Config, $"'{name}'"];

    private static OddCase With(OddBase sound, string field, string value, params string[] words) =>
        new($"config, {sound.Name}: {field} {value}", sound, f => f.Set(Config, field, value), words);

    private static OddCase Of(string name, Action<OddFolder> make, params string[] words) =>
        new($"config: {name}", OddBase.HuggingFace, make, [Config, .. words]);

    private static OddCase Of(string name, Action<OddFolder> make, Action<OddFolder> then, params string[] words) =>
        Of(name, make + then, words);

    // rope_scaling says one thing, rope_parameters another, and nothing else.
    private static OddCase TwoRopes(string field, string older, string newer, params string[] words) =>
        Of(
            $"rope_parameters with {field} {newer} beside rope_scaling with {older}",
            f =>
            {
                f.Set(Config, $"rope_scaling.{field}", older);
                f.Set(Config, "rope_parameters", $"{{\"factor\": 32, \"{field}\": {newer}}}");
                if (field == "rope_type")
                    f.Remove(Config, "rope_parameters", "factor");
            },
            [$"'rope_scaling.{field}'", .. words]
        );

    private static OddCase Stops(string name, string content, params string[] words) =>
        new(
            $"generation config: {name}",
            OddBase.HuggingFace,
            f => f.Write(Generation, content),
            [Generation, .. words]
        );

    private static void WithoutExpertsPerToken(OddFolder f)
    {
        f.Remove(Config, "num_experts_per_tok");
        f.Remove(Config, "experts_per_token");
    }

    private static string Latin(string text) => text.Replace("silu", "s\u00e9lu", StringComparison.Ordinal);

    // The second byte of é alone is no UTF-8.
    private static byte[] Lone(byte[] bytes) => [.. bytes.Where(b => b != 0xC3)];
}
