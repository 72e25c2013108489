using GptOss.Tokenization;

namespace GptOss.Tests.Fuzzing.Inputs;

/// <summary>A tokenizer.json, which then encodes a text.</summary>
internal sealed class TokenizerInput : FuzzInput
{
    private const int VocabularySize = 960;
    private const string Text = "What is 345 + 678? It's naïve, 中文 🙂\n\n  x";

    private static readonly byte[] Sound = File.ReadAllBytes(
        Path.Combine(Repository.Root, "src", "GptOss.TinyModel", "model", "tokenizer.json")
    );

    public override string Name => "tokenizer";

    public override int Cases => 250;

    public override byte[] Draw(Random random)
    {
        byte[] json = Sound;
        for (int damages = Damages(random); damages > 0; damages--)
            json = random.Next(3) == 0 ? ByteDamage.Damage(json, random) : JsonDamage.Damage(json, random);
        return json;
    }

    /// <summary>Ids of the vocabulary, none of them special, come of a text.</summary>
    public override bool Reads(byte[] input)
    {
        Vocabulary vocabulary = TokenizerJson.Read("folder/tokenizer.json", input, VocabularySize);
        Assert.Equal(VocabularySize, vocabulary.Bytes.Count);
        foreach (int id in vocabulary.Encoder.Encode(Text))
        {
            Assert.InRange(id, 0, VocabularySize - 1);
            Assert.False(vocabulary.IsSpecial(id));
        }
        return true;
    }
}
