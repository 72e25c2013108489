using System.Text.RegularExpressions;

namespace GptOss.Tests;

/// <summary>What the house asks of every file, as far as a search of its text can tell.</summary>
public sealed partial class HabitsTests
{
    private const int FileBudget = 300,
        LastColumn = 120;

    private const string Concurrency =
        @"\bThread(Pool)?\b|\bParallel\b|\bTask\b|\block\s*\(|\bLock\b|\bMonitor\.|\basync\b|\bawait\b";
    private const string NewThread = @"\bnew Thread\b|\bParallel\.";
    private const string Intrinsics = @"\bRuntime\.Intrinsics\b|\bVector(64|128|256|512)\b";
    private const string Terminal = @"\bConsole\b";

    // The folders of the repository that hold code.
    private static readonly string[] Code = ["src", "tests", "benchmarks", "samples"];

    [Theory]
    [InlineData("Kernels")]
    [InlineData("Model")]
    public void Kernels_and_model_start_no_threads_and_take_no_locks_but_that_of_the_page_pool(string room) =>
        AssertNone(
            SourceText
                .Matches(Concurrency, "src", "GptOss", room)
                .Where(line => !line.StartsWith("PagePool.cs:", StringComparison.Ordinal))
        );

    [Fact]
    public void Only_threading_starts_a_thread() =>
        AssertNone(
            SourceText
                .Matches(NewThread, "src", "GptOss")
                .Where(line => !line.StartsWith("TeamThread.cs:", StringComparison.Ordinal))
        );

    [Fact]
    public void Only_kernels_name_an_instruction_set_or_a_register() =>
        AssertNone(
            SourceText.Matches(Intrinsics, "src").Except(SourceText.Matches(Intrinsics, "src", "GptOss", "Kernels"))
        );

    [Fact]
    public void The_library_never_writes_to_the_console() => AssertNone(SourceText.Matches(Terminal, "src", "GptOss"));

    [Theory]
    [InlineData(Concurrency, "lock (_gate)", true)]
    [InlineData(Concurrency, "public async Task Run()", true)]
    [InlineData(Concurrency, "Run(block(0)); // no Task, no lock (_gate)", false)]
    [InlineData(NewThread, "var loop = new Thread(Run);", true)]
    [InlineData(NewThread, "Thread loop = Thread.CurrentThread;", false)]
    [InlineData(Intrinsics, "using System.Runtime.Intrinsics.X86;", true)]
    [InlineData(Intrinsics, "Vector512<float> sum = default;", true)]
    [InlineData(Intrinsics, "Vector(name, length: 512); // no Vector512", false)]
    [InlineData(Terminal, "Console.WriteLine(text);", true)]
    [InlineData(Terminal, "// Console.WriteLine(text);", false)]
    public void A_word_that_a_room_must_not_say_is_noticed(string pattern, string line, bool noticed) =>
        Assert.Equal(noticed, Regex.IsMatch(SourceText.WithoutComment(line), pattern));

    [Fact]
    public void A_file_beyond_the_budget_gives_its_reason_on_line_one() =>
        AssertNone(
            from file in SourceText.Files("src").Concat(SourceText.Files("tests"))
            let lines = File.ReadAllLines(file)
            where IsLongWithoutReason(lines)
            select $"{Path.GetFileName(file)}: {lines.Length} lines"
        );

    [Theory]
    [InlineData("using System;", 301, true)]
    [InlineData("using System;", 300, false)]
    [InlineData("// Longer, because the table is one.", 301, false)]
    public void A_long_file_without_a_reason_is_noticed(string first, int lines, bool noticed) =>
        Assert.Equal(noticed, IsLongWithoutReason([first, .. Enumerable.Repeat("", lines - 1)]));

    [Fact]
    public void A_line_ends_at_column_120() =>
        AssertNone(
            from file in Code.SelectMany(folder => SourceText.Files(folder))
            from line in SourceText.LinesOutsideRawText(File.ReadLines(file))
            where IsTooLong(SourceText.PathFrom(Repository.Root, file), line.Text)
            select $"{Path.GetFileName(file)}:{line.Number} {line.Text.Trim()}"
        );

    [Theory]
    [InlineData("src/GptOss/A.cs", "// ", 121, true)]
    [InlineData("src/GptOss/A.cs", "// ", 120, false)]
    [InlineData("src/Tests/A.cs", "\"", 121, true)]
    [InlineData("tests/A.cs", "// \"", 121, true)]
    [InlineData("tests/A.cs", "    + $\"", 121, false)] // a literal that is a test's data
    public void A_line_that_is_too_long_is_noticed(string file, string begin, int length, bool noticed) =>
        Assert.Equal(noticed, IsTooLong(file, begin.PadRight(length, 'x')));

    [Fact]
    public void A_line_of_prose_ends_at_column_120()
    {
        // Decisions are never edited.
        string[] pages =
        [
            .. Directory.GetFiles(Repository.Root, "*.md"),
            .. Directory.GetFiles(Path.Combine(Repository.Root, "docs"), "*.md"),
        ];
        AssertNone(
            from page in pages
            from line in File.ReadLines(page).Select((text, index) => (Text: text, Number: index + 1))
            where IsLongProse(line.Text)
            select $"{Path.GetFileName(page)}:{line.Number} {line.Text}"
        );
    }

    [Theory]
    [InlineData("A line", 121, true)]
    [InlineData("A line", 120, false)]
    [InlineData("| a row of a table |", 121, false)]
    public void A_line_of_prose_that_is_too_long_is_noticed(string begin, int length, bool noticed) =>
        Assert.Equal(noticed, IsLongProse(begin.PadRight(length, 'x')));

    [Fact]
    public void A_summary_and_a_parameter_are_told_in_four_words_or_more() =>
        AssertNone(TerseTexts(SourceText.Comments("src")));

    [Theory]
    [InlineData("/// <summary>The router scores.</summary>", true)]
    [InlineData("/// <param name=\"x\">\n/// The <em>quantised</em> activations.\n/// </param>", true)]
    [InlineData("/// <summary>Reads – or writes.</summary>", true)] // a dash is no word
    [InlineData("/// <summary>Router scores, [rows, experts].</summary>", false)]
    [InlineData("/// <summary>Width of <see cref=\"Int8Row\"/> in floats.</summary>", false)]
    [InlineData("/// <returns>The scores.</returns>", false)]
    public void A_text_of_fewer_words_is_noticed(string comment, bool noticed) =>
        Assert.Equal(noticed, TerseTexts(SourceText.CommentsOf("A.cs", comment.Split('\n'))).Any());

    [Fact]
    public void A_comment_can_be_read_alone() =>
        AssertNone(LeaningComments(Code.SelectMany(folder => SourceText.Comments(folder))));

    [Theory]
    [InlineData("// Decodes the codes as above.", true)]
    [InlineData("/// <summary>\n/// Decodes the codes as\n/// above.\n/// </summary>", true)]
    [InlineData("Use(\"a // b\"); // Likewise for the scales.", true)]
    [InlineData("Use(@\"\\\", $\"{Of(\"//\")}\", '\"'); // Both kinds alike.", true)]
    [InlineData("Use(1); // A loop of so many steps.", true)]
    [InlineData("Use(\"a // likewise\", \"https://alike\");", false)]
    [InlineData("Use($\"{Of(\"}\")} // alike {{\" + '\\'' + @\"\"\" // likewise\");", false)]
    [InlineData("Use(\"\"\"a \" // alike\"\"\");", false)]
    [InlineData("Use(\"\"\"\n// likewise\n\"\"\");", false)]
    [InlineData("// For x above 88.376 the result is infinite.", false)]
    public void A_comment_that_leans_on_its_neighbours_is_noticed(string text, bool noticed) =>
        Assert.Equal(noticed, LeaningComments(SourceText.CommentsOf("A.cs", text.Split('\n'))).Any());

    [Fact]
    public void A_type_has_a_name_of_its_own() => AssertNone(SharedNames(SourceText.Types("src")));

    [Theory]
    [InlineData("Chat/A.cs", "internal class A", "Model/A.cs", "internal sealed class A;", true)]
    [InlineData("Chat/A.cs", "internal record A(int B);", "Chat/B.cs", "    private struct A", true)]
    [InlineData("Chat/A.cs", "internal partial class A", "Chat/B.cs", "internal class A", true)]
    [InlineData("Chat/A.cs", "internal partial class A", "Model/A.cs", "internal partial class A", true)]
    [InlineData("Chat/A.cs", "internal partial class A", "Chat/A.B.cs", "internal partial class A", false)]
    [InlineData("Chat/A.cs", "internal class A", "Chat/A.cs", "internal class A<T>", false)]
    [InlineData("Chat/A.cs", "internal class A", "Chat/B.cs", "internal class B", false)]
    public void A_name_that_two_types_share_is_noticed(
        string file,
        string line,
        string otherFile,
        string otherLine,
        bool noticed
    ) =>
        Assert.Equal(
            noticed,
            SharedNames([.. SourceText.TypesOf(file, [line]), .. SourceText.TypesOf(otherFile, [otherLine])]).Any()
        );

    [Fact]
    public void The_forward_pass_is_one_screen()
    {
        string file = Path.Combine(SourceText.Library, "Model", "Transformer.cs");
        Assert.InRange(File.ReadAllLines(file).Length, 1, 90);
    }

    [Fact]
    public void A_sample_has_at_most_forty_lines()
    {
        // A balancer takes more than can be shown on a page; the program that uses it does not.
        string[] balancer = ["Affinity.cs", "AffinityPolicy.cs", "Balancer.cs"];
        string[] samples = [.. SourceText.Files("samples").Where(file => !balancer.Contains(Path.GetFileName(file)))];
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

    private static bool IsLongWithoutReason(string[] lines) =>
        lines.Length > FileBudget && !lines[0].StartsWith("//", StringComparison.Ordinal);

    private static bool IsTooLong(string file, string line) =>
        line.Length > LastColumn && !(file.StartsWith("tests/", StringComparison.Ordinal) && IsLiteral().IsMatch(line));

    private static bool IsLongProse(string line) => line.Length > LastColumn && !line.StartsWith('|');

    private static IEnumerable<string> TerseTexts(IEnumerable<SourceText.Comment> comments) =>
        from doc in SourceText.DocTexts(comments)
        where doc.Tag is "summary" or "param" && doc.Text.Split(' ', '\n').Count(IsWord) < 4
        select $"{doc.File}:{doc.Line} {doc.Tag}: {doc.Text}";

    private static IEnumerable<string> LeaningComments(IEnumerable<SourceText.Comment> comments) =>
        from comment in comments
        where LeansOnItsNeighbours().IsMatch(comment.Text)
        select $"{comment.File}:{comment.Line} {comment.Text}";

    // Several files may share a name only where they hold the parts of one type, which lie in one folder.
    private static IEnumerable<string> SharedNames(IEnumerable<SourceText.Declaration> types) =>
        from type in types
        group type by type.Name into sharing
        let files = sharing.Select(type => type.File).Distinct().Order().ToArray()
        where
            files.Length > 1
            && !(sharing.All(type => type.IsPartial) && files.Select(Path.GetDirectoryName).Distinct().Count() == 1)
        select $"{sharing.Key}: {string.Join(", ", files)}";

    private static bool IsWord(string text) => text.Any(char.IsLetterOrDigit);

    // A test's data: one string literal and what a list or a sum has around it.
    [GeneratedRegex(@"^[\s+(]*(new\()?\$*@?""")]
    private static partial Regex IsLiteral();

    [GeneratedRegex(@"\b(as\s+above|likewise|alike|so\s+many)\b", RegexOptions.IgnoreCase)]
    private static partial Regex LeansOnItsNeighbours();
}
