// Over 300 lines: one vocabulary, against every implementation and fixture that there is for it.
using System.IO.Compression;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using CsCheck;
using GptOss.Tokenization;
using Microsoft.ML.Tokenizers;

namespace GptOss.Tests.Tokenization;

public sealed class O200kHarmonyTests
{
    private static readonly GptOss.Tokenization.Tokenizer Tokenizer = GptOss.Tokenization.Tokenizer.O200kHarmony;

    // Another implementation over the same ranks, exact where no code point is beyond U+FFFF.
    private static readonly Lazy<TiktokenTokenizer> MicrosoftMl = new(() =>
    {
        Stream ranks = Assembly
            .Load("Microsoft.ML.Tokenizers.Data.O200kBase")
            .GetManifestResourceStream("o200k_base.tiktoken.deflate")!;
        var split = new RegexPreTokenizer(new Regex(TextSplitter.O200kPattern), specialTokens: null);
        return TiktokenTokenizer.Create(new DeflateStream(ranks, CompressionMode.Decompress), split, null, null);
    });

    private static readonly string[] Fragments =
    [
        "'s",
        "'T",
        "'re",
        "'VE",
        "'m",
        "'ll",
        "'D",
        "'",
        "’s",
        " ",
        "  ",
        "\t",
        "\n",
        "\r\n",
        "\r",
        "/",
        "\u00a0",
        "\u2028",
        "\u3000",
        "\u0085",
        "1",
        "123",
        "4567",
        "٣",
        "½",
        "a",
        "I",
        "Hello",
        " world",
        "ÉCOLE",
        "école",
        "ǅ",
        "ʰ",
        "中",
        "文字",
        "한국어",
        "\u1112\u1161",
        "か",
        "ไทย",
        "हिन्दी",
        "العربية",
        "e\u0301",
        "\u0301",
        "\u0903",
        "!",
        "...",
        "—",
        "$",
        "_",
        "(",
        "\u0000",
        "\ufffd",
        "\ufeff",
        "<|end|>",
        "{\"a\": 1}",
        "https://",
        "camelCase",
    ];

    private static readonly Gen<string> BmpText = Gen.OneOf<string>(
            Gen.OneOf(Fragments),
            // Without the long s: .NET's (?i:'s) does not know it, the reference's does (see the vectors).
            Gen.Char.Where(c => !char.IsSurrogate(c) && c != '\u017f').Select(c => c.ToString())
        )
        .Array[0, 24]
        .Select(string.Concat);

    /// <summary>Texts without a place to cut, each given how many bytes of UTF-8 it has.</summary>
    private static readonly Dictionary<string, Func<int, string>> Uncut = new()
    {
        ["spaces"] = bytes => new string(' ', bytes),
        ["a"] = bytes => new string('a', bytes),
        ["A"] = bytes => new string('A', bytes),
        ["aA"] = bytes => Repeated("aA", bytes / 2),
        ["^"] = bytes => new string('^', bytes),
        ["newlines"] = bytes => new string('\n', bytes),
        ["tabs and newlines"] = bytes => Repeated("\t\n", bytes / 2),
        ["digits"] = bytes => new string('7', bytes),
        ["combining marks"] = bytes => new string('\u0301', bytes / 2),
        ["Han"] = bytes => new string('中', bytes / 3),
        ["joined emoji"] = bytes => Repeated("👩\u200d", bytes / 7),
        ["random letters"] = bytes => RandomText('a', 'z', bytes),
        ["random signs"] = bytes => RandomText('!', '/', bytes),
        ["special spellings"] = bytes => Repeated("<|start|>", bytes / 9),
        ["lone surrogates"] = bytes => new string('\ud800', bytes / 3),
        ["letters beyond U+FFFF"] = bytes => Repeated("𠀀", bytes / 4),
    };

    public static TheoryData<string> UncutNames => [.. Uncut.Keys];

    [Fact]
    public void Ids_are_those_of_tiktoken()
    {
        using JsonDocument cases = Vectors.Read("tokenization", "tiktoken.json");
        Assert.All(cases.RootElement.EnumerateArray(), c =>
        {
            string text = c.GetProperty("text").GetString()!;
            Assert.Equal(Ids(c.GetProperty("ids")), Tokenizer.Encode(text));
            Assert.Equal(text, Tokenizer.Decode(Tokenizer.Encode(text)));
        });
    }

    [Fact]
    public void Ids_are_those_of_the_published_harmony_renderings()
    {
        using JsonDocument cases = Vectors.Read("tokenization", "harmony-tokens.json");
        Assert.All(cases.RootElement.EnumerateArray(), c =>
        {
            int[] expected = Ids(c.GetProperty("ids"));
            Assert.Equal(expected, SpecialSpellings.Encode(Tokenizer, expected));
        });
    }

    [Fact]
    public void Ids_are_those_of_another_implementation_on_any_text_within_U_FFFF() =>
        BmpText.Sample(text => Assert.Equal(MicrosoftMl.Value.EncodeToIds(text), Tokenizer.Encode(text)), iter: 5_000);

    [Theory]
    [InlineData('a')]
    [InlineData(' ')]
    [InlineData('^')]
    [InlineData('\u0301')]
    [InlineData('中')]
    public void A_long_run_has_the_ids_of_another_implementation(char c) =>
        Assert.All([1, 2, 63, 64, 65, 127, 128, 129, 3001], n =>
            Assert.Equal(MicrosoftMl.Value.EncodeToIds(new string(c, n)), Tokenizer.Encode(new string(c, n)))
        );

    [Fact]
    public void Long_words_have_the_ids_of_another_implementation() =>
        Gen.Char['a', 'z']
            .Array[300, 3_000]
            .Select(letters => new string(letters))
            .Sample(word => Assert.Equal(MicrosoftMl.Value.EncodeToIds(word), Tokenizer.Encode(word)), iter: 20);

    /// <summary>
    /// Linear but for a logarithm, which makes 12 of tenfold; that a megabyte leaves the nearest caches makes up to 16.
    /// Merging in quadratic time would make 100. Up to a megabyte; ten where time is given. The best of three, of
    /// which the first compiles, and the processor time of the thread, since the machine has other things to do; the
    /// best of ten where three are too slow, since neighbours may hold the caches for as long as three take.
    /// </summary>
    [Theory, MemberData(nameof(UncutNames)), Trait("kind", "long")]
    [Promise(11)]
    public void Ten_times_the_text_without_a_place_to_cut_takes_little_more_than_ten_times_as_long(string name)
    {
        const double MostGrowth = 20,
            MostBytes = 100;
        int[] sizes = Long.IsLong ? [100_000, 1_000_000, 10_000_000] : [100_000, 1_000_000];
        double growth = 0,
            before = double.PositiveInfinity;
        TimeSpan last = default;
        foreach (int size in sizes)
        {
            string text = Uncut[name](size);
            last = TimeSpan.MaxValue;
            long least = long.MaxValue;
            for (int i = 0; i < 3 || (i < 10 && last.TotalSeconds > MostGrowth * before); i++)
            {
                long allocated = GC.GetAllocatedBytesForCurrentThread();
                TimeSpan began = ThreadClock.Now;
                IReadOnlyList<int> ids = Tokenizer.Encode(text);
                last = new(Math.Min(last.Ticks, (ThreadClock.Now - began).Ticks));
                least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - allocated);
                if (i == 0)
                    Assert.Equal(Cleaned(text), Tokenizer.Decode(ids));
            }
            Assert.InRange(least / (double)size, 0, MostBytes);
            growth = Math.Max(growth, last.TotalSeconds / before);
            before = last.TotalSeconds;
        }
        Figure.Tell($"{name}: {sizes[^1] / 1e6:0} MB in {last.TotalSeconds:0.00} s, {growth:0.0} for tenfold");
        Assert.InRange(growth, 0, MostGrowth);
    }

    [Fact, Trait("kind", "long")]
    [Promise(10)]
    public void Text_made_of_special_spellings_stays_text()
    {
        string[] names = [.. Tokenizer.SpecialTokens.Keys.Take(30)];
        string[] parts =
        [
            .. names,
            "<",
            "<|",
            "|",
            "|>",
            ">",
            "start",
            "end",
            "message",
            "reserved_200000",
            "endofprompt",
            "\u200b",
            "\u200d",
            "<\u200b|",
            "＜|",
            "|＞",
            "ᐸ|",
            "\ufeff",
            "\u0000",
            " ",
            "\n",
            "1",
            "200006",
            "\ud83d\ude42",
            "𠀀",
        ];
        Gen.OneOf<string>(Gen.OneOf(parts), Gen.OneOf(names))
            .Array[1, 12]
            .Select(string.Concat)
            .Sample(
                text =>
                {
                    IReadOnlyList<int> ids = Tokenizer.Encode(text);
                    Assert.DoesNotContain(ids, Tokenizer.IsSpecial);
                    Assert.Equal(text, Tokenizer.Decode(ids));
                },
                iter: Iterations
            );
        Figure.Tell($"{Iterations:N0} texts of special spellings: 0 special ids, 0 round-trip failures");
    }

    private static int Iterations => Long.IsLong ? 1_000_000 : 20_000;

    [Fact]
    public void Every_special_spelling_alone_stays_text() =>
        Assert.All(Tokenizer.SpecialTokens.Keys, name =>
            Assert.DoesNotContain(Tokenizer.Encode(name), Tokenizer.IsSpecial)
        );

    [Theory]
    [InlineData(199_998, "<|startoftext|>")]
    [InlineData(199_999, "<|endoftext|>")]
    [InlineData(200_000, "<|reserved_200000|>")]
    [InlineData(200_002, "<|return|>")]
    [InlineData(200_003, "<|constrain|>")]
    [InlineData(200_005, "<|channel|>")]
    [InlineData(200_006, "<|start|>")]
    [InlineData(200_007, "<|end|>")]
    [InlineData(200_008, "<|message|>")]
    [InlineData(200_011, "<|reserved_200011|>")]
    [InlineData(200_012, "<|call|>")]
    [InlineData(200_017, "<|reserved_200017|>")]
    [InlineData(200_018, "<|endofprompt|>")]
    [InlineData(200_019, "<|reserved_200019|>")]
    [InlineData(201_087, "<|reserved_201087|>")]
    public void A_special_token_has_its_published_name(int id, string name)
    {
        Assert.Equal(id, Tokenizer.SpecialTokens[name]);
        Assert.Equal(name, Tokenizer.Decode([id]));
        Assert.True(Tokenizer.IsSpecial(id));
    }

    [Fact]
    public void The_special_tokens_are_the_last_1090()
    {
        Assert.Equal(201_088, Tokenizer.VocabularySize);
        Assert.Equal(Enumerable.Range(199_998, 1_090), Tokenizer.SpecialTokens.Values.Order());
        Assert.False(Tokenizer.IsSpecial(199_997));
        Assert.False(Tokenizer.IsSpecial(201_088));
    }

    [Fact]
    public void Every_ordinary_token_has_bytes_of_its_own()
    {
        var hex = Enumerable.Range(0, 199_998).Select(id => Convert.ToHexString(Tokenizer.Bytes[id])).ToHashSet();
        Assert.Equal(199_998, hex.Count);
        Assert.DoesNotContain("", hex);
    }

    [Fact]
    public void A_lone_surrogate_becomes_U_FFFD()
    {
        // Not InlineData: metadata is UTF-8 and cannot hold them.
        string[] texts = ["\ud800", "a\udc00b", "\ud83d", "\ude42\ud83d", "𠀀\ud800𠀀"];
        Assert.All(texts, text =>
        {
            Assert.Equal(Tokenizer.Encode(Cleaned(text)), Tokenizer.Encode(text));
            Assert.Equal(Cleaned(text), Tokenizer.Decode(Tokenizer.Encode(text)));
        });
        Assert.Equal([3251, 87], Tokenizer.Encode("\ud800x")); // the ids of "\ufffdx"
    }

    private static string Repeated(string unit, int times) => string.Concat(Enumerable.Repeat(unit, times));

    private static string RandomText(char first, char last, int length)
    {
        var random = new Random(1);
        return string.Create(length, (first, last), (text, range) =>
        {
            foreach (ref char c in text)
                c = (char)random.Next(range.first, range.last + 1);
        });
    }

    // What a lone surrogate becomes on its way to UTF-8.
    private static string Cleaned(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    private static int[] Ids(JsonElement ids) => [.. ids.EnumerateArray().Select(id => id.GetInt32())];
}
