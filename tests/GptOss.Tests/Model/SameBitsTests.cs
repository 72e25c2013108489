using GptOss.Model;
using GptOss.Tests.Kernels;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Model;

/// <summary>A logit's bits depend on the model, the tokens before it and the precision, and on nothing else.</summary>
public sealed class SameBitsTests
{
    // Three windows and more than two pages of 64 positions.
    private const int Tokens = 150;

    private static readonly TinyShape Mxfp4 = new()
    {
        NumHiddenLayers = 3,
        LayerTypes = "sfs",
        SlidingWindow = 50,
    };
    private static readonly TinyShape BFloat16 = Mxfp4 with
    {
        Experts = TinyExperts.BFloat16,
        HiddenSize = 50,
        IntermediateSize = 33,
        HeadDim = 10,
    };

    /// <summary>
    /// The same with every tensor in BF16, F16 or F32 as a seed chooses, gate and up of each expert apart.
    /// </summary>
    private const string Plain = "Plain";

    public static TheoryData<string, KeyValueFormat> Models =>
        new()
        {
            { nameof(Mxfp4), KeyValueFormat.Float32 },
            { nameof(Mxfp4), KeyValueFormat.Float16 },
            { nameof(Mxfp4), KeyValueFormat.Int8 },
            { nameof(BFloat16), KeyValueFormat.Float32 },
            { Plain, KeyValueFormat.Float32 },
        };

    [Theory, MemberData(nameof(Models))]
    public void Chunks_do_not_show(string name, KeyValueFormat format)
    {
        using LoadedModel model = Load(name, format: format);
        int[] prompt = LoadedModel.Prompt(Tokens, model.Model.VocabularySize);
        float[][] whole = model.Logits(prompt);
        foreach (int chunk in (int[])[1, 7, 64, 149])
            AssertSame(whole, model.Logits(prompt, chunk), $"chunk {chunk}");
    }

    [Theory, MemberData(nameof(Models))]
    [Trait("speed", "slow")]
    public void Neighbours_in_a_batch_do_not_show(string name, KeyValueFormat format)
    {
        using LoadedModel model = Load(name, threads: 2, format: format);
        int vocabulary = model.Model.VocabularySize;
        int[] prompt = LoadedModel.Prompt(Tokens, vocabulary);
        int[][] others = [LoadedModel.Prompt(90, vocabulary, seed: 2), LoadedModel.Prompt(Tokens, vocabulary, seed: 3)];
        float[][] alone = model.Logits(prompt);
        float[][][] othersAlone = [.. others.Select(other => model.Logits(other))];

        foreach (float[][] copy in model.Interleaved([prompt, prompt, prompt], [7, 7, 7]))
            AssertSame(alone, copy, "copies");
        float[][][] mixed = model.Interleaved([others[0], prompt, others[1]], [64, 1, 23]);

        AssertSame(othersAlone[0], mixed[0], "first neighbour");
        AssertSame(alone, mixed[1], "token by token between neighbours");
        AssertSame(othersAlone[1], mixed[2], "second neighbour");
    }

    [Fact]
    [Trait("speed", "slow")]
    public void Threads_do_not_show()
    {
        // Wide enough that every projection is worth sharing.
        TinyShape shape = Mxfp4 with { HiddenSize = 256, IntermediateSize = 288, NumAttentionHeads = 8 };
        int[] prompt = LoadedModel.Prompt(Tokens, shape.VocabSize);
        using var one = LoadedModel.Random(shape, seed: 4);
        float[][] expected = one.Logits(prompt);
        foreach (int threads in (int[])[2, 3, 5])
        {
            using var several = new LoadedModel(one.Folder, threads);
            AssertSame(expected, several.Logits(prompt), $"{threads} threads");
            AssertSame(expected[..20], several.Logits(prompt[..20], chunk: 1), $"{threads} threads, token by token");
        }
    }

    [Theory]
    [InlineData(nameof(Mxfp4))]
    [InlineData(nameof(BFloat16))]
    [InlineData(Plain)]
    [Trait("speed", "slow")]
    public void Rows_of_one_pass_are_those_of_one_pass_each(string name)
    {
        using LoadedModel model = Load(name);
        int[] prompt = LoadedModel.Prompt(70, model.Model.VocabularySize);
        float[][] alone = model.Logits(prompt, chunk: 1);
        for (int rows = 1; rows <= prompt.Length; rows++)
            AssertSame(alone[..rows], model.Logits(prompt[..rows]), $"{rows} rows");
    }

    [Fact]
    [Trait("speed", "slow")]
    public void Sequences_of_one_pass_are_those_of_one_pass_each()
    {
        using LoadedModel model = Load(nameof(Mxfp4));
        int[] tokens = LoadedModel.Prompt(70, model.Model.VocabularySize);
        float[][] alone = [.. tokens.Select(token => model.Logits([token])[0])];
        for (int count = 1; count <= tokens.Length; count++)
        {
            KvSequence[] sequences = [.. tokens[..count].Select(_ => model.Engine.Cache.NewSequence())];
            AssertSame(
                alone[..count],
                model.Pass([.. sequences.Zip(tokens, (sequence, token) => (sequence, new[] { token }))]),
                $"{count} sequences"
            );
            foreach (KvSequence sequence in sequences)
                sequence.Dispose();
        }
    }

    [Theory]
    [InlineData(KeyValueFormat.Float32)]
    [InlineData(KeyValueFormat.Int8)]
    public void Splits_shared_out_over_threads_do_not_show(KeyValueFormat format)
    {
        // Three splits of 4,096 positions, of which the sequences see three, two and one; the window crosses into the
        // third.
        TinyShape shape = Mxfp4 with { SlidingWindow = 200 };
        int[] contexts = [8300, 5000, 90],
            next = LoadedModel.Prompt(3, shape.VocabSize);
        using var one = LoadedModel.Random(shape, seed: 4, threads: 1, format);
        float[][][] expected = [.. contexts.Select(context => Behind(one, context))];

        foreach (int threads in (int[])[2, 5, 16])
        {
            using var several = new LoadedModel(one.Folder, threads, format);
            AssertSame(
                [.. expected.SelectMany(rows => rows)],
                Behind(several, contexts),
                $"{threads} threads, one batch"
            );
            AssertSame(expected[0], Behind(several, contexts[0]), $"{threads} threads, the longest alone");
        }

        float[][] Behind(LoadedModel model, params int[] lengths)
        {
            KvSequence[] sequences = [.. lengths.Select(length => model.Remembering(length))];
            float[][] logits = model.Pass([.. sequences.Select(sequence => (sequence, next))]);
            foreach (KvSequence sequence in sequences)
                sequence.Dispose();
            return logits;
        }
    }

    [Fact]
    public void Rounded_keys_and_values_change_bits_but_little_else()
    {
        using LoadedModel exact = Load(nameof(Mxfp4));
        float[][] expected = exact.Logits(LoadedModel.Prompt(Tokens, exact.Model.VocabularySize));
        double half = Difference(KeyValueFormat.Float16),
            bytes = Difference(KeyValueFormat.Int8);

        Assert.InRange(half, 1e-6, 4e-3); // what the reference loses by rounding keys and values to float16
        // The step of int8 is the largest value / 127, that of float16 1/2048 to 1/1024 of the value itself: 8 to 16
        // times as wide for the largest value, and for one of a quarter of it 32 to 64 times.
        Assert.InRange(bytes, 8 * half, 64 * half);

        double Difference(KeyValueFormat format)
        {
            using var rounded = new LoadedModel(exact.Folder, format: format);
            return expected
                .Zip(rounded.Logits(LoadedModel.Prompt(Tokens, exact.Model.VocabularySize)), (a, b) =>
                    a.Zip(b, (x, y) => Math.Abs(x - y)).Average()
                )
                .Average();
        }
    }

    private static LoadedModel Load(string name, int threads = 1, KeyValueFormat format = KeyValueFormat.Float32) =>
        name != Plain
            ? LoadedModel.Random(name == nameof(Mxfp4) ? Mxfp4 : BFloat16, seed: 4, threads, format)
            : LoadedModel.Written(
                folder =>
                    WeightBinderTests.Write(
                        folder,
                        BFloat16,
                        FineTunes.Typed(
                            FineTunes.Forms["by expert, gate and up apart"](FineTunes.Base(BFloat16, seed: 4)),
                            seed: 4
                        )
                    ),
                threads,
                format
            );

    private static void AssertSame(float[][] expected, float[][] actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int position = 0; position < expected.Length; position++)
            Sample.AssertSameBits(expected[position], actual[position], $"{what}, position {position}");
    }
}
