using System.Text.RegularExpressions;

namespace GptOss.Tests;

/// <summary>What the house asks of every file, as far as a search of its text can tell.</summary>
public sealed partial class HabitsTests
{
    private const int FileBudget = 300;

    [Theory]
    [InlineData("Kernels")]
    [InlineData("Model")]
    public void Kernels_and_model_start_no_threads_and_take_no_locks_but_that_of_the_page_pool(string room)
    {
        const string Concurrency =
            @"\bThread(Pool)?\b|\bParallel\b|\bTask\b|\block\s*\(|\bLock\b|\bMonitor\.|\basync\b|\bawait\b";
        Assert.DoesNotContain(SourceText.Matches(Concurrency, "src", "GptOss", room), line =>
            !line.StartsWith("PagePool.cs:", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Only_the_worker_team_starts_a_thread() =>
        Assert.DoesNotContain(SourceText.Matches(@"\bnew Thread\b|\bParallel\.", "src", "GptOss"), line =>
            !line.StartsWith("WorkerTeam.cs:", StringComparison.Ordinal)
        );

    [Fact]
    public void Only_kernels_name_an_instruction_set_or_a_register()
    {
        const string Intrinsics = @"\bRuntime\.Intrinsics\b|\bVector(64|128|256|512)\b";
        Assert.Empty(
            SourceText
                .Matches(Intrinsics, "src")
                .Except(
                    SourceText.Rooms.Contains("Kernels")
                        ? SourceText.Matches(Intrinsics, "src", "GptOss", "Kernels")
                        : []
                )
        );
    }

    [Fact]
    public void The_library_never_writes_to_the_console() =>
        Assert.Empty(SourceText.Matches(@"\bConsole\b", "src", "GptOss"));

    [Fact]
    public void A_file_beyond_the_budget_gives_its_reason_on_line_one()
    {
        var silent =
            from file in SourceText.Files("src")
            let lines = File.ReadAllLines(file)
            where lines.Length > FileBudget && !lines[0].StartsWith("//", StringComparison.Ordinal)
            select $"{Path.GetFileName(file)}: {lines.Length} lines";
        AssertNone(silent);
    }

    [Fact]
    public void A_line_ends_at_column_120()
    {
        string[] folders = ["src", "tests", "benchmarks", "samples"];
        var beyond =
            from file in folders.SelectMany(folder => SourceText.Files(folder))
            from line in SourceText.LinesOutsideRawText(file)
            where line.Text.Length > 120 && !(file.Contains("Tests") && IsLiteral().IsMatch(line.Text))
            select $"{Path.GetFileName(file)}:{line.Number} {line.Text.Trim()}";
        AssertNone(beyond);
    }

    [Fact]
    public void A_summary_and_a_parameter_are_told_in_four_words_or_more() =>
        AssertNone(
            from doc in SourceText.DocTexts("src")
            where doc.Tag is "summary" or "param" && doc.Text.Split(' ', '\n').Count(IsWord) < 4
            select $"{doc.File}:{doc.Line} {doc.Tag}: {doc.Text}"
        );

    [Fact]
    public void A_comment_can_be_read_alone() =>
        AssertNone(
            from comment in SourceText.Comments("src")
            where LeansOnItsNeighbours().IsMatch(comment.Text)
            select $"{comment.File}:{comment.Line} {comment.Text}"
        );

    [Fact]
    public void A_type_has_a_name_of_its_own()
    {
        var shared =
            from type in SourceText.Types("src")
            where !type.IsPartial
            group type.File by type.Name into files
            where files.Distinct().Count() > 1
            select $"{files.Key}: {string.Join(", ", files.Distinct().Order())}";
        AssertNone(shared);
    }

    [Fact]
    public void The_forward_pass_is_one_screen()
    {
        string file = Path.Combine(SourceText.Library, "Model", "Transformer.cs");
        Assert.InRange(File.ReadAllLines(file).Length, 1, 90);
    }

    [Fact]
    public void A_sample_has_at_most_forty_lines()
    {
        string[] samples = [.. SourceText.Files("samples")];
        Assert.NotEmpty(samples);
        Assert.All(samples, file => Assert.True(File.ReadAllLines(file).Length <= 40, file));
    }

    [Fact]
    public void The_readme_quotes_the_first_sample_verbatim()
    {
        string program = File.ReadAllText(Path.Combine(Repository.Root, "samples", "HelloChat", "Program.cs")).Trim();
        Assert.Contains(program, File.ReadAllText(Path.Combine(Repository.Root, "README.md")));
    }

    private static void AssertNone(IEnumerable<string> found)
    {
        string[] all = [.. found];
        Assert.True(all.Length == 0, $"{all.Length} found:\n{string.Join('\n', all)}");
    }

    private static bool IsWord(string text) => text.Any(char.IsLetterOrDigit);

    // A test's data: one string literal and what a list or a sum has around it.
    [GeneratedRegex(@"^[\s+(]*(new\()?\$*@?""")]
    private static partial Regex IsLiteral();

    [GeneratedRegex(@"\b(as above|likewise|alike)\b", RegexOptions.IgnoreCase)]
    private static partial Regex LeansOnItsNeighbours();
}
