using System.Text.Json;
using GptOss.Tests.Model;

namespace GptOss.Tests.Checkpoint.Gguf;

/// <summary>
/// The GGUF forms of the oracle's fixtures A and C: Checkpoint/vectors/gguf, whose README says how they were made.
/// </summary>
internal static class GgufVectors
{
    /// <summary>The path of a file.</summary>
    public static string PathOf(string file) =>
        Path.Combine(Repository.Root, "tests", "GptOss.Tests", "Checkpoint", "vectors", "gguf", file);

    /// <summary>The float64 logits and the greedy answer of a fixture.</summary>
    public static JsonDocument Expected(string fixture) =>
        JsonDocument.Parse(File.ReadAllBytes(PathOf($"expected-{fixture}.json")));

    /// <summary>The prompt that every form of fixture A is asked.</summary>
    public static int[] PromptOfA()
    {
        using JsonDocument expected = Expected("A-bf16");
        return FixtureTests.Ints(expected, "prompt");
    }
}
