using System.Text;
using GptOss.Checkpoint;
using GptOss.Checkpoint.Gguf;
using Microsoft.Win32.SafeHandles;

namespace GptOss.Hub;

/// <summary>What the first keys of a GGUF file say of it, read without the rest of its head.</summary>
/// <remarks>
/// A list of models looks at every file, and the vocabulary in a head has 13 MB: the rest of a head is read only where
/// its first keys do not tell the architecture. Whether the whole head is sound is seen when a model is loaded.
/// </remarks>
/// <param name="Architecture">The value of general.architecture; null where no key tells.</param>
/// <param name="Type">The value of general.type, "model" where there is none.</param>
internal sealed record GgufPeek(string? Architecture, string Type)
{
    private const string ArchitectureKey = GgufKeys.Architecture,
        TypeKey = "general.type",
        ModelType = "model";

    // Where the quick look ends, and the longest text that it keeps.
    private const int MostBytes = 1 << 16,
        MostTextBytes = 1024;

    /// <summary>Whether the file is gpt-oss, as llama.cpp or as the first Ollama spell it.</summary>
    public bool IsGptOss => Architecture is "gpt-oss" or "gptoss" && Type == ModelType;

    /// <summary>The beginning of a file; null where it is no GGUF.</summary>
    /// <exception cref="CheckpointException">The file is missing, not regular, or not readable.</exception>
    public static GgufPeek? Read(string path)
    {
        using SafeFileHandle handle = RegularFile.Open(path, minimumBytes: 1);
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        var reader = new GgufReader(path, RandomAccess.GetLength(handle), Fill);
        try
        {
            if (reader.Left < 4 || !reader.Take(4).SequenceEqual("GGUF"u8))
                return null;
            ReadTexts(reader, texts);
            if (!texts.ContainsKey(ArchitectureKey))
                ReadAll(new GgufReader(path, reader.Length, Fill), texts);
        }
        catch (CheckpointException)
        {
            // The head is damaged. What has been read of it may be enough to know what it is.
        }
        return new GgufPeek(texts.GetValueOrDefault(ArchitectureKey), texts.GetValueOrDefault(TypeKey, ModelType));

        void Fill(long position, Span<byte> destination) => RegularFile.Fill(handle, destination, path, position);
    }

    /// <summary>The beginning of a file; null where it is no GGUF or cannot be read.</summary>
    public static GgufPeek? TryRead(string path)
    {
        try
        {
            return Read(path);
        }
        catch (Exception e) when (e is CheckpointException || RegularFile.IsFileTrouble(e))
        {
            return null;
        }
    }

    // A file whose keys are in another order than the usual one.
    private static void ReadAll(GgufReader reader, Dictionary<string, string> texts)
    {
        GgufKeys keys = GgufHeader.Read(reader).Keys;
        foreach (string key in (string[])[ArchitectureKey, TypeKey])
            if (keys.OptionalText(key) is { } text)
                texts[key] = text;
    }

    // The general keys come first in most writers' files, and arrays behind them.
    private static void ReadTexts(GgufReader reader, Dictionary<string, string> texts)
    {
        reader.UInt32();
        reader.UInt64();
        ulong keys = reader.UInt64();
        for (ulong i = 0; i < keys && reader.Position < MostBytes; i++)
        {
            string name = Encoding.UTF8.GetString(
                reader.Take((int)reader.StringLength("the name of a key", MostBytes - 1))
            );
            var type = (GgufType)reader.UInt32();
            if (type == GgufType.String)
            {
                long bytes = reader.StringLength("a text", GgufReader.MostStringBytes);
                if (bytes <= MostTextBytes)
                    texts[name] = Encoding.UTF8.GetString(reader.Take((int)bytes));
                else
                    reader.Skip(bytes);
            }
            else if (type <= GgufType.Float64 && type != GgufType.Array)
                reader.Skip(type.Bytes());
            else
                return;
        }
    }
}
