using GptOss.Tokenization;

namespace GptOss.Tests.Tokenization;

public sealed class TokenizerTests
{
    [Theory]
    [InlineData("x", 3_000_000)] // one piece
    [InlineData("x y1 ", 1_000_000)] // many
    public async Task Encoding_ends_soon_after_its_cancellation(string unit, int count)
    {
        string text = string.Concat(Enumerable.Repeat(unit, count));
        Tokenizer.O200kHarmony.Encode("warm");
        using var cancel = new CancellationTokenSource();
        Task<List<int>> encoding = Task.Run(
            () => Tokenizer.O200kHarmony.EncodeCancellable(text, cancel.Token),
            TestContext.Current.CancellationToken
        );
        await Task.Delay(50, TestContext.Current.CancellationToken);

        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => encoding);
        // It takes 5 s to the end
        Assert.InRange(System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 2);
    }

    [Fact]
    public void A_model_of_201088_tokens_gets_the_built_in_vocabulary_whatever_its_folder_holds() =>
        Assert.Same(
            Tokenizer.O200kHarmony,
            Tokenizer.ForFolder("no such folder", 201_088, out _, TestContext.Current.CancellationToken)
        );

    [Fact]
    public void A_folder_without_tokenizer_has_none_and_says_why()
    {
        using var folder = new TemporaryFolder();
        Assert.Null(Tokenizer.ForFolder(folder.Path, 960, out string? whyNot, TestContext.Current.CancellationToken));
        Assert.Contains("tokenizer.json", whyNot);
        Assert.Contains("960", whyNot);
    }

    [Fact]
    public void A_damaged_tokenizer_is_an_error_that_names_its_file()
    {
        using var folder = new TemporaryFolder();
        string file = Path.Combine(folder.Path, "tokenizer.json");
        File.WriteAllText(file, "{\"model\": ");
        var error = Assert.Throws<CheckpointException>(() =>
            Tokenizer.ForFolder(folder.Path, 960, out _, TestContext.Current.CancellationToken)
        );
        Assert.Equal(file, error.FilePath);
    }

    [Fact]
    public void A_tokenizer_that_is_empty_a_folder_or_a_broken_link_is_an_error()
    {
        using var folder = new TemporaryFolder();
        string file = Path.Combine(folder.Path, "tokenizer.json");

        File.WriteAllBytes(file, []);
        Assert.Throws<CheckpointException>(() =>
            Tokenizer.ForFolder(folder.Path, 960, out _, TestContext.Current.CancellationToken)
        );

        File.Delete(file);
        File.CreateSymbolicLink(file, Path.Combine(folder.Path, "gone"));
        Assert.Throws<CheckpointException>(() =>
            Tokenizer.ForFolder(folder.Path, 960, out _, TestContext.Current.CancellationToken)
        );

        File.Delete(file);
        Directory.CreateDirectory(file);
        Assert.Throws<CheckpointException>(() =>
            Tokenizer.ForFolder(folder.Path, 960, out _, TestContext.Current.CancellationToken)
        );
    }
}
