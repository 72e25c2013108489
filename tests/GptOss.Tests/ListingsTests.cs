using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace GptOss.Tests;

/// <summary>What is printed compiles as it is printed.</summary>
public sealed partial class ListingsTests
{
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
    public void A_listing_compiles_as_printed(string page, int index)
    {
        string listing = Of(page)[index].Groups[1].Value;
        CancellationToken stop = TestContext.Current.CancellationToken;
        // A program in one file may begin with directives for its packages.
        CSharpParseOptions options = new CSharpParseOptions(LanguageVersion.Latest).WithFeatures([
            new KeyValuePair<string, string>("FileBasedProgram", "true"),
        ]);
        string[] assemblies = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator);
        var compilation = CSharpCompilation.Create(
            "Listing",
            [
                CSharpSyntaxTree.ParseText(SourceText.ImplicitUsings, options, cancellationToken: stop),
                CSharpSyntaxTree.ParseText(listing, options, cancellationToken: stop),
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

        Assert.Empty(
            compilation
                .GetDiagnostics(stop)
                .Where(diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning)
                .Select(diagnostic => diagnostic.ToString())
        );
    }

    [Fact]
    public void The_readme_has_listings() => Assert.InRange(Of("README.md").Count, 4, 20);

    private static MatchCollection Of(string page) =>
        Listing().Matches(File.ReadAllText(Path.Combine(Repository.Root, page)).ReplaceLineEndings("\n"));

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Listing();
}
