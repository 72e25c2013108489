using GptOss.Checkpoint;
using GptOss.Checkpoint.Gguf;

namespace GptOss.Model;

internal sealed partial record ModelConfig
{
    // The keys of GGUF, behind the architecture and a dot, by the names of config.json.
    private static readonly Dictionary<string, string> GgufNames = new()
    {
        ["intermediate_size"] = "expert_feed_forward_length",
        ["hidden_size"] = "embedding_length",
        ["num_attention_heads"] = "attention.head_count",
        ["head_dim"] = "attention.key_length",
        ["num_local_experts"] = "expert_count",
        ["vocab_size"] = "vocab_size",
    };

    /// <summary>Reads the keys of a GGUF file, of llama.cpp's architecture or of Ollama's.</summary>
    /// <remarks>
    /// The constants of SwiGLU are in no key. Nor is <c>truncate</c> of YaRN, which is false, as OpenAI publishes both
    /// models. Source: conversion/gpt_oss.py and src/models/openai-moe.cpp in ggml-org/llama.cpp,
    /// convert/convert_gptoss.go in ollama/ollama.
    /// </remarks>
    /// <exception cref="CheckpointException">Names the key, what it should be and what it is.</exception>
    public static ModelConfig From(GgufCheckpoint file)
    {
        GgufKeys keys = file.Keys;
        string start = Architecture(keys) + ".";
        int layers = keys.Int32(start + "block_count", 1, MaxLayers),
            experts = keys.Int32(start + "expert_count", 1, MaxExperts),
            hidden = keys.Int32(start + "embedding_length", 1, MaxDimension);
        RopeConfig rope = RopeConfig.From(keys, start);
        var config = new ModelConfig
        {
            Layout = CheckpointLayout.Gguf,
            NumHiddenLayers = layers,
            HiddenSize = hidden,
            IntermediateSize = keys.OptionalInt32(start + "expert_feed_forward_length", 1, MaxDimension)
                ?? keys.Int32(start + "feed_forward_length", 1, MaxDimension),
            NumAttentionHeads = keys.Int32(start + "attention.head_count", 1, MaxDimension),
            NumKeyValueHeads = keys.Int32(start + "attention.head_count_kv", 1, MaxDimension),
            HeadDim = HeadDimension(keys, start),
            NumLocalExperts = experts,
            ExpertsPerToken = keys.OptionalInt32(start + "expert_used_count", 1, Math.Min(experts, MaxExpertsPerToken))
                ?? Math.Min(experts, 4),
            VocabSize = Vocabulary(file, start, hidden),
            SlidingWindow = keys.Int32(start + "attention.sliding_window", 1, MaxPosition),
            IsSliding = Sliding(keys, start, layers),
            RmsNormEps = (float)keys.Positive(start + "attention.layer_norm_rms_epsilon", 1e-5),
            SwiGluLimit = 7,
            SwiGluAlpha = 1.702f,
            TieWordEmbeddings = !file.TryGet("output.weight", out _),
            Rope = rope,
            MaxPositions = keys.OptionalInt32(start + "context_length", 1, MaxPosition)
                ?? (int)Math.Min(MaxPosition, rope.OriginalContext * Math.Max(1, rope.Factor)),
        };
        config.Check((field, expected, found) => keys.Wrong(start + GgufNames[field], expected, found));
        return config;
    }

    private static string Architecture(GgufKeys keys)
    {
        const string key = GgufKeys.Architecture,
            expected = "'gpt-oss' or 'gptoss'";
        if (keys.OptionalText("general.type") is { } type && type != "model")
            throw keys.Wrong(
                "general.type",
                "'model'",
                JsonFields.Quoted(type),
                type == "adapter" ? "An adapter in GGUF is not read: use the one that it was made from." : null
            );
        string architecture = keys.OptionalText(key) ?? throw keys.Missing(key, expected);
        return architecture is "gpt-oss" or "gptoss"
            ? architecture
            : throw keys.Wrong(
                key,
                expected,
                JsonFields.Quoted(architecture),
                "This engine runs no other architecture."
            );
    }

    private static int HeadDimension(GgufKeys keys, string start)
    {
        int size = keys.Int32(start + "attention.key_length", 2, MaxDimension),
            values = keys.OptionalInt32(start + "attention.value_length", 2, MaxDimension) ?? size;
        return size == values
            ? size
            : throw keys.Wrong(start + "attention.value_length", $"{size}, as key_length", $"{values}");
    }

    private static int Vocabulary(GgufCheckpoint file, string start, int hidden)
    {
        const string name = "token_embd.weight";
        Tensor embedding = file.Get(name);
        ReadOnlySpan<long> shape = embedding.Shape;
        while (shape.Length > 2 && shape[0] == 1) // a trailing dimension of 1 in the file
            shape = shape[1..];
        if (shape.Length != 2 || shape[0] > MaxVocabulary)
            throw new CheckpointException(
                embedding.File,
                $"should be a matrix of at most {MaxVocabulary} rows, but is {embedding}.",
                name
            );
        if (shape[1] != hidden)
            throw file.Keys.Wrong(start + "embedding_length", $"{shape[1]}, the width of '{name}'", $"{hidden}");
        int vocabulary = (int)shape[0];
        return file.Keys.OptionalInt32(start + "vocab_size", 1, MaxVocabulary) is { } claimed && claimed != vocabulary
            ? throw file.Keys.Wrong(start + "vocab_size", $"{vocabulary}, the rows of '{name}'", $"{claimed}")
            : vocabulary;
    }

    // With a pattern p layer n slides where n mod p is below p − 1; 2 makes the even layers slide.
    private static bool[] Sliding(GgufKeys keys, string start, int layers)
    {
        int pattern = keys.OptionalInt32(start + "attention.sliding_window_pattern", 1, MaxLayers) ?? 2;
        return [.. Enumerable.Range(0, layers).Select(layer => layer % pattern < pattern - 1)];
    }
}
