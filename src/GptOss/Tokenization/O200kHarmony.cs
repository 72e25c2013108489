using System.Buffers;
using System.Buffers.Text;
using System.Collections.ObjectModel;
using System.IO.Compression;
using System.Text;

namespace GptOss.Tokenization;

/// <summary>gpt-oss's own vocabulary: the 199,998 tokens of o200k_base, then 1,090 special ones.</summary>
/// <remarks>
/// The ranks come with the package Microsoft.ML.Tokenizers.Data.O200kBase. Names of the special tokens: tiktoken's
/// <c>o200k_harmony</c>; 200018 keeps the name that it has in the published <c>tokenizer.json</c> and in o200k_base.
/// </remarks>
internal static class O200kHarmony
{
    public const int VocabularySize = 201_088;
    private const int FirstSpecial = 199_998;

    private static readonly Dictionary<int, string> Named = new()
    {
        [199_998] = "<|startoftext|>",
        [199_999] = "<|endoftext|>",
        [200_002] = "<|return|>",
        [200_003] = "<|constrain|>",
        [200_005] = "<|channel|>",
        [200_006] = "<|start|>",
        [200_007] = "<|end|>",
        [200_008] = "<|message|>",
        [200_012] = "<|call|>",
        [200_018] = "<|endofprompt|>",
    };

    /// <summary>Reads the ranks: a tenth of a second, and 7 MB that stay.</summary>
    public static Vocabulary Load()
    {
        var tokens = new TokenBytes.Builder(VocabularySize, bytesExpected: 1_400_000);
        AddRanks(tokens);

        var specials = new Dictionary<string, int>(VocabularySize - FirstSpecial);
        for (int id = FirstSpecial; id < VocabularySize; id++)
        {
            string name = Named.GetValueOrDefault(id) ?? $"<|reserved_{id}|>";
            specials.Add(name, id);
            tokens.Add(Encoding.UTF8.GetBytes(name));
        }

        TokenBytes bytes = tokens.Build();
        var index = new TokenIndex(bytes, FirstSpecial);
        int[] byteTokens = [.. Enumerable.Range(0, 256).Select(b => index.Find([(byte)b]))];
        var encoder = new BytePairEncoder(TextSplitter.O200k, new RanksByBytes(index), byteTokens, whole: index);
        return new Vocabulary(encoder, bytes, new ReadOnlyDictionary<string, int>(specials));
    }

    // A line that announces the capacity, then each token's bytes in base64, one a line, in the order of their ids.
    private static void AddRanks(TokenBytes.Builder tokens)
    {
        ReadOnlySpan<byte> text = Inflate();
        text = text[(text.IndexOf((byte)'\n') + 1)..];
        int count = 0;
        foreach (Range line in text.Split((byte)'\n'))
        {
            ReadOnlySpan<byte> base64 = text[line].TrimEnd((byte)'\r');
            if (base64.IsEmpty)
                continue;
            OperationStatus status = Base64.DecodeFromUtf8(base64, tokens.Room(base64.Length), out _, out int written);
            if (status != OperationStatus.Done || ++count > FirstSpecial)
                throw Unusable();
            tokens.Advance(written);
        }
        if (count != FirstSpecial)
            throw Unusable();
    }

    private static ReadOnlySpan<byte> Inflate()
    {
        // The type is asked for by its name so that trimming keeps the assembly that holds the resource.
        const string Data = "Microsoft.ML.Tokenizers.O200kBaseTokenizerData, Microsoft.ML.Tokenizers.Data.O200kBase";
        using Stream packed = Type.GetType(Data)?.Assembly.GetManifestResourceStream("o200k_base.tiktoken.deflate")
            ?? throw Unusable();
        using var unpacked = new MemoryStream(4 << 20);
        using (var inflate = new DeflateStream(packed, CompressionMode.Decompress))
            inflate.CopyTo(unpacked);
        return unpacked.GetBuffer().AsSpan(0, (int)unpacked.Length);
    }

    private static InvalidOperationException Unusable() =>
        new(
            "The o200k ranks are missing or not the expected ones. "
                + "Is the package Microsoft.ML.Tokenizers.Data.O200kBase part of the application?"
        );
}
