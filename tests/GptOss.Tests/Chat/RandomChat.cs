using GptOss.Tests.Model;
using GptOss.Tests.Oracles;
using GptOss.Tokenization;
using Microsoft.Extensions.AI;

namespace GptOss.Tests.Chat;

/// <summary>
/// A chat client over random weights with the vocabulary of the tiny model. It says anything that it may, so what it
/// says shows what it is held to.
/// </summary>
internal sealed class RandomChat : IDisposable
{
    private readonly LoadedModel _loaded;

    public RandomChat(int seed, int threads = 1)
    {
        _loaded = LoadedModel.Written(
            folder =>
            {
                var shape = new TinyShape { VocabSize = 960, WithGenerationConfig = false };
                TinyCheckpoint.Write(folder.Path, shape, seed);
                const string File = "tokenizer.json";
                System.IO.File.Copy(Path.Combine(TinyGptOss.Folder, File), Path.Combine(folder.Path, File));
            },
            threads
        );
        Client = _loaded.Model.AsChatClient();
        Ends = EndsOf(Tokenizer);
    }

    public LoadedModel Loaded => _loaded;

    public GptOssChatClient Client { get; }

    public Tokenizer Tokenizer => _loaded.Model.Tokenizer.Inner;

    /// <summary>
    /// A bias to what ends texts, lists and objects. Without it a text goes on for a thousand tokens, as one in a
    /// thousand ends it.
    /// </summary>
    public IReadOnlyDictionary<int, float> Ends { get; }

    /// <summary>Options whose answers are as other ones with another seed, and end.</summary>
    public ChatOptions Options(int seed, Func<GptOssRequestOptions, GptOssRequestOptions>? own = null)
    {
        var options = new GptOssRequestOptions
        {
            LogitBias = Ends,
            ReasoningBudget = 6,
            CurrentDate = new DateOnly(2026, 11, 24),
            IncludeRawHarmony = true,
        };
        return new()
        {
            Seed = seed,
            Temperature = seed % 4 == 0 ? 0 : 1,
            MaxOutputTokens = 2_000,
            RawRepresentationFactory = _ => own?.Invoke(options) ?? options,
        };
    }

    /// <summary>The answer of a response with its markers, as the model wrote it.</summary>
    public static string Written(ChatResponse response) =>
        (string)response.Messages[^1].AdditionalProperties!["harmony.answer"]!;

    /// <summary>The text of the last message of an answer.</summary>
    public static string LastBody(string written)
    {
        int start = written.LastIndexOf("<|message|>", StringComparison.Ordinal) + "<|message|>".Length;
        int end = written.LastIndexOf("<|", StringComparison.Ordinal);
        return written[start..end];
    }

    public void Dispose()
    {
        Client.Dispose();
        _loaded.Dispose();
    }

    private static Dictionary<int, float> EndsOf(Tokenizer tokenizer) =>
        Enumerable
            .Range(0, tokenizer.VocabularySize)
            .Where(id => !tokenizer.IsSpecial(id) && tokenizer.Bytes[id] is [(byte)'"' or (byte)'}' or (byte)']', ..])
            .ToDictionary(id => id, _ => 4f);
}
