using System.Text.RegularExpressions;

namespace GptOss.Tests;

/// <summary>
/// Whatever reads memory that the runtime does not check says in a comment what bounds it and who has checked that.
/// </summary>
public sealed class BoundsTests
{
    private const string Keyword = @"\bunsafe\b",
        Unchecked = @"\bUnsafe\.|\bMemoryMarshal\.Get(Array)?(Data)?Reference\b|\b(Load|Store)Unsafe\b",
        Bound = "// Bound: ";

    private static readonly string[] Files = [.. SourceText.Files("src")];

    [Fact]
    public void Everything_unsafe_states_its_bound() =>
        Assert.Empty(
            from file in Files
            from number in WithoutBound(File.ReadAllLines(file))
            select $"{SourceText.PathFrom(Repository.Root, file)}:{number}"
        );

    [Fact]
    public void A_file_that_reads_without_the_keyword_states_its_bound() =>
        Assert.Empty(
            from file in Files
            let lines = File.ReadAllLines(file)
            where ReadsUnchecked(lines) && !Array.Exists(lines, StatesBound)
            select SourceText.PathFrom(Repository.Root, file)
        );

    [Theory]
    [InlineData("internal unsafe class A", true)]
    [InlineData("// Bound: the length.\ninternal unsafe class A", false)]
    [InlineData("// Bound: the length,\n// which B has checked.\n[C]\ninternal unsafe class A", false)]
    [InlineData("// Bound: the length.\ninternal class B;\ninternal unsafe class A", true)]
    [InlineData("string a = \"script-src 'unsafe-inline'\"; // unsafe", false)]
    public void An_unsafe_line_without_a_bound_is_noticed(string text, bool noticed) =>
        Assert.Equal(noticed, WithoutBound(text.Split('\n')).Any());

    [Theory]
    [InlineData("x = ref Unsafe.Add(ref x, 1);", true)]
    [InlineData("ref float x = ref MemoryMarshal.GetReference(y);", true)]
    [InlineData("ref byte x = ref MemoryMarshal.GetArrayDataReference(y);", true)]
    [InlineData("Vector512.LoadUnsafe(in x, 1)", true)]
    [InlineData("MemoryMarshal.AsBytes(x) // Unsafe.Add", false)]
    public void A_read_without_the_keyword_is_noticed(string line, bool noticed) =>
        Assert.Equal(noticed, ReadsUnchecked([line]));

    // Numbers of the lines that have the keyword, outside of comments and literals, and no bound above them.
    private static IEnumerable<int> WithoutBound(string[] lines)
    {
        for (int i = 0; i < lines.Length; i++)
        {
            if (!Regex.IsMatch(Regex.Replace(SourceText.WithoutComment(lines[i]), "\"[^\"]*\"", "\"\""), Keyword))
                continue;
            int above = i - 1;
            while (above >= 0 && lines[above].TrimStart() is ['[', ..] or ['/', '/', ..] && !StatesBound(lines[above]))
                above--;
            if (above < 0 || !StatesBound(lines[above]))
                yield return i + 1;
        }
    }

    private static bool ReadsUnchecked(IEnumerable<string> lines) =>
        lines.Any(line => Regex.IsMatch(SourceText.WithoutComment(line), Unchecked));

    private static bool StatesBound(string line) => line.TrimStart().StartsWith(Bound, StringComparison.Ordinal);
}
