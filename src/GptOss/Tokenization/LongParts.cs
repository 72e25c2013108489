using System.Text.Json;
using System.Text.Unicode;
using GptOss.Checkpoint;

namespace GptOss.Tokenization;

/// <summary>The two lists that make up nearly all of a <c>tokenizer.json</c>, cut out of it where they lie.</summary>
/// <remarks>
/// As a tree of JSON they would take several times the file's size. So they are read from the file's bytes, one entry
/// at a time, and only what is left without them becomes a tree.
/// </remarks>
/// <param name="Vocab">The object <c>model.vocab</c>, braces included.</param>
/// <param name="Merges">The array <c>model.merges</c>, brackets included.</param>
/// <param name="Rest">The file with an empty object and an empty array in their places; null where they were not
/// found.</param>
/// <param name="RestBytes">How long that is where it is too long to be read; else 0.</param>
internal sealed record LongParts(
    ReadOnlyMemory<byte> Vocab,
    ReadOnlyMemory<byte> Merges,
    byte[]? Rest,
    int RestBytes = 0
)
{
    /// <summary>Whatever is wrong with the file is left for whoever parses all of it.</summary>
    public static LongParts Of(ReadOnlyMemory<byte> content)
    {
        var found = new List<(Range Range, byte[] Empty)>();
        (ReadOnlyMemory<byte> vocab, ReadOnlyMemory<byte> merges) = ("{}"u8.ToArray(), "[]"u8.ToArray());
        try
        {
            var reader = new Utf8JsonReader(content.Span);
            if (!Utf8.IsValid(content.Span) || !reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return new LongParts(vocab, merges, null);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                bool isModel = reader.ValueTextEquals("model"u8);
                reader.Read();
                if (!isModel || reader.TokenType != JsonTokenType.StartObject)
                {
                    reader.Skip();
                    continue;
                }
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    bool isVocab = reader.ValueTextEquals("vocab"u8),
                        isMerges = reader.ValueTextEquals("merges"u8);
                    reader.Read();
                    isVocab &= reader.TokenType == JsonTokenType.StartObject;
                    isMerges &= reader.TokenType == JsonTokenType.StartArray;
                    int start = (int)reader.TokenStartIndex;
                    reader.Skip();
                    if (!isVocab && !isMerges)
                        continue;
                    Range range = start..(int)reader.BytesConsumed;
                    if (isVocab)
                        vocab = content[range];
                    else
                        merges = content[range];
                    found.Add((range, isVocab ? "{}"u8.ToArray() : "[]"u8.ToArray()));
                }
            }
            reader.Read(); // throws if anything but white space follows
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return new LongParts(vocab, merges, null); // whoever parses the whole file names the place of the error
        }

        int bytes = content.Length - found.Sum(part => part.Range.GetOffsetAndLength(content.Length).Length - 2);
        if (bytes > JsonFields.MaxBytes) // whoever reads the file refuses that
            return new LongParts(vocab, merges, null, bytes);
        using var rest = new MemoryStream(bytes);
        int from = 0;
        foreach ((Range range, byte[] empty) in found)
        {
            rest.Write(content.Span[from..range.Start.Value]);
            rest.Write(empty);
            from = range.End.Value;
        }
        rest.Write(content.Span[from..]);
        return new LongParts(vocab, merges, rest.ToArray());
    }
}
