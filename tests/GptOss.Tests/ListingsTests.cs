using System.Text.RegularExpressions;

namespace GptOss.Tests;

/// <summary>What is printed compiles and runs as it is printed.</summary>
public sealed partial class ListingsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, int> Listings
    {
        get
        {
            var listings = new TheoryData<string, int>();
            string[] docs = Directory.GetFiles(Path.Combine(Repository.Root, "docs"), "*.md");
            foreach (string page in (string[])["README.md", .. docs.Select(file => $"docs/{Path.GetFileName(file)}")])
            {
                for (int i = 0; i < Of(page).Count; i++)
                    listings.Add(page, i);
            }
            return listings;
        }
    }

    [Theory]
    [MemberData(nameof(Listings))]
    public void A_listing_compiles_as_printed(string page, int index) =>
        Assert.Empty(Printed(page, index).Problems(Stop));

    /// <summary>
    /// With the tiny model where a listing names OpenAI's, in an empty folder otherwise, and without a network.
    /// </summary>
    [Theory]
    [Trait("speed", "slow")]
    [MemberData(nameof(Listings))]
    public async Task A_listing_runs_as_printed(string page, int index)
    {
        Assert.SkipUnless(Environment.Version.Major == 10, "Listings run by the dotnet on the PATH: .NET 10.");
        string here = Path.Combine(_folder.Path, "here");
        Directory.CreateDirectory(Path.Combine(here, "models"));
        Directory.CreateSymbolicLink(Path.Combine(here, "models", "gpt-oss-20b"), TinyGptOss.Folder);
        (int code, string output, string error) = await Printed(page, index)
            .RunAsync(_folder.Path, here, Stop, ("HF_HUB_CACHE", Cache(here)), ("HF_HUB_OFFLINE", "1"));
        Assert.True((code, error) == (0, ""), $"{code} {error} {output}");
    }

    /// <summary>A cache of Hugging Face that has the tiny model in the place of OpenAI's.</summary>
    private static string Cache(string folder)
    {
        string cache = Path.Combine(folder, "cache"),
            repository = Path.Combine(cache, "models--openai--gpt-oss-20b"),
            commit = new('0', 40);
        Directory.CreateDirectory(Path.Combine(repository, "refs"));
        Directory.CreateDirectory(Path.Combine(repository, "snapshots"));
        File.WriteAllText(Path.Combine(repository, "refs", "main"), commit);
        Directory.CreateSymbolicLink(Path.Combine(repository, "snapshots", commit), TinyGptOss.Folder);
        return cache;
    }

    private static Listing Printed(string page, int index) => new(Of(page)[index].Groups[1].Value);

    [Fact]
    public void The_readme_has_listings() => Assert.InRange(Of("README.md").Count, 4, 20);

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static MatchCollection Of(string page) =>
        Listing().Matches(File.ReadAllText(Path.Combine(Repository.Root, page)).ReplaceLineEndings("\n"));

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Listing();
}
