using System.Diagnostics;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

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
        Assert.Empty(
            Compiled(page, index)
                .GetDiagnostics(Stop)
                .Where(diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning)
                .Select(diagnostic => diagnostic.ToString())
        );

    /// <summary>
    /// With the tiny model where a listing names OpenAI's, in an empty folder otherwise, and without a network.
    /// </summary>
    [Theory]
    [Trait("speed", "slow")]
    [MemberData(nameof(Listings))]
    public async Task A_listing_runs_as_printed(string page, int index)
    {
        Assert.SkipUnless(Environment.Version.Major == 10, "Listings run by the dotnet on the PATH: .NET 10.");
        foreach (string library in Directory.GetFiles(AppContext.BaseDirectory, "*.dll"))
            File.CreateSymbolicLink(Path.Combine(_folder.Path, Path.GetFileName(library)), library);
        // With the list of its dependencies the host takes a package that is newer than the framework's own library.
        foreach (string kind in (string[])["runtimeconfig", "deps"])
        {
            File.Copy(
                Path.Combine(AppContext.BaseDirectory, $"GptOss.Tests.{kind}.json"),
                Path.Combine(_folder.Path, $"Listing.{kind}.json")
            );
        }
        string program = Path.Combine(_folder.Path, "Listing.dll"),
            here = Path.Combine(_folder.Path, "here");
        Assert.True(Compiled(page, index).Emit(program, cancellationToken: Stop).Success);
        Directory.CreateDirectory(Path.Combine(here, "models"));
        Directory.CreateSymbolicLink(Path.Combine(here, "models", "gpt-oss-20b"), TinyGptOss.Folder);

        var start = new ProcessStartInfo("dotnet", [program])
        {
            WorkingDirectory = here,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment["HF_HUB_CACHE"] = Cache(here);
        start.Environment["HF_HUB_OFFLINE"] = "1";
        using Process child = Process.Start(start)!;
        child.StandardInput.Close();
        Task<string> output = child.StandardOutput.ReadToEndAsync(Stop),
            error = child.StandardError.ReadToEndAsync(Stop);
        await child.WaitForExitAsync(Stop).WaitAsync(TimeSpan.FromSeconds(120), Stop);
        await output;
        Assert.Equal(("", 0), (await error, child.ExitCode));
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

    private static CSharpCompilation Compiled(string page, int index)
    {
        string listing = Of(page)[index].Groups[1].Value;
        // A program in one file may begin with directives for its packages.
        CSharpParseOptions options = new CSharpParseOptions(LanguageVersion.Latest).WithFeatures([
            new KeyValuePair<string, string>("FileBasedProgram", "true"),
        ]);
        string[] assemblies = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator);
        return CSharpCompilation.Create(
            "Listing",
            [
                CSharpSyntaxTree.ParseText(SourceText.ImplicitUsings, options, cancellationToken: Stop),
                CSharpSyntaxTree.ParseText(listing, options, cancellationToken: Stop),
            ],
            assemblies.Select(file => MetadataReference.CreateFromFile(file)),
            new CSharpCompilationOptions(
                OutputKind.ConsoleApplication,
                nullableContextOptions: NullableContextOptions.Enable,
                // As in every build of the SDK: packages for an older framework refer to an older base library.
                specificDiagnosticOptions:
                [
                    new("CS1701", ReportDiagnostic.Suppress),
                    new("CS1702", ReportDiagnostic.Suppress),
                ]
            )
        );
    }

    [Fact]
    public void The_readme_has_listings() => Assert.InRange(Of("README.md").Count, 4, 20);

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static MatchCollection Of(string page) =>
        Listing().Matches(File.ReadAllText(Path.Combine(Repository.Root, page)).ReplaceLineEndings("\n"));

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Listing();
}
