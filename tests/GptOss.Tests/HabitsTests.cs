namespace GptOss.Tests;

/// <summary>What the house asks of every file, as far as a search of its text can tell.</summary>
public sealed class HabitsTests
{
    private const int FileBudget = 300;

    [Theory]
    [InlineData("Kernels")]
    [InlineData("Model")]
    public void Kernels_and_model_start_no_threads_and_take_no_locks(string room)
    {
        const string Concurrency =
            @"\bThread(Pool)?\b|\bParallel\b|\bTask\b|\block\s*\(|\bLock\b|\bMonitor\.|\basync\b|\bawait\b";
        Assert.Empty(SourceText.Matches(Concurrency, "src", "GptOss", room));
    }

    [Fact]
    public void Only_the_worker_team_starts_a_thread() => Assert.DoesNotContain(
        SourceText.Matches(@"\bnew Thread\b|\bParallel\.", "src", "GptOss"),
        line => !line.StartsWith("WorkerTeam.cs:", StringComparison.Ordinal));

    [Fact]
    public void Only_kernels_name_an_instruction_set_or_a_register()
    {
        const string Intrinsics = @"\bRuntime\.Intrinsics\b|\bVector(64|128|256|512)\b";
        Assert.Empty(SourceText.Matches(Intrinsics, "src").Except(SourceText.Rooms.Contains("Kernels")
            ? SourceText.Matches(Intrinsics, "src", "GptOss", "Kernels") : []));
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
        Assert.Empty(silent);
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
}
