using System.Text.Json;

namespace GptOss.Tests.Tokenization;

/// <summary>Cases that other implementations made.</summary>
internal static class Vectors
{
    public static JsonDocument Read(params string[] parts) =>
        JsonDocument.Parse(File.ReadAllBytes(Repository.Vector(parts)));
}
