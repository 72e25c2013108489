using System.Diagnostics;
using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace GptOss.Tests;

/// <summary>A program as somebody finds it printed, compiled against what the tests have beside them.</summary>
/// <param name="text">The program, which may begin with directives for its packages.</param>
internal sealed class Listing(string text)
{
    /// <summary>The usings that a new project has without saying them.</summary>
    public const string ImplicitUsings = """
        global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq;
        global using System.Net.Http; global using System.Threading; global using System.Threading.Tasks;
        """;

    // A listing takes seconds; the machine of the tests may be busy with other things.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    /// <summary>What the compiler would tell: warnings and errors.</summary>
    public IEnumerable<string> Problems(CancellationToken stop) =>
        Compiled(stop)
            .GetDiagnostics(stop)
            .Where(diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning)
            .Select(diagnostic => diagnostic.ToString());

    /// <summary>Compiles the program into a folder and runs it by the <c>dotnet</c> on the PATH.</summary>
    /// <param name="folder">An empty folder for the program and the libraries beside it.</param>
    /// <param name="here">The folder in which it runs.</param>
    /// <param name="stop">Ends the waiting for it.</param>
    /// <param name="variables">What its environment has beside that of the tests.</param>
    public async Task<(int Code, string Output, string Error)> RunAsync(
        string folder,
        string here,
        CancellationToken stop,
        params (string Name, string Value)[] variables
    )
    {
        foreach (string library in Directory.GetFiles(AppContext.BaseDirectory, "*.dll"))
            File.CreateSymbolicLink(Path.Combine(folder, Path.GetFileName(library)), library);
        string tests = Assembly.GetExecutingAssembly().GetName().Name!;
        // With the list of its dependencies the host takes a package that is newer than the framework's own library.
        foreach (string kind in (string[])["runtimeconfig", "deps"])
        {
            File.Copy(
                Path.Combine(AppContext.BaseDirectory, $"{tests}.{kind}.json"),
                Path.Combine(folder, $"Listing.{kind}.json")
            );
        }
        string program = Path.Combine(folder, "Listing.dll");
        Assert.True(Compiled(stop).Emit(program, cancellationToken: stop).Success);

        var start = new ProcessStartInfo("dotnet", [program])
        {
            WorkingDirectory = here,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach ((string name, string value) in variables)
            start.Environment[name] = value;
        using Process child = Process.Start(start)!;
        child.StandardInput.Close();
        Task<string> output = child.StandardOutput.ReadToEndAsync(stop),
            error = child.StandardError.ReadToEndAsync(stop);
        await child.WaitForExitAsync(stop).WaitAsync(Limit, stop);
        return (child.ExitCode, await output, await error);
    }

    private CSharpCompilation Compiled(CancellationToken stop)
    {
        // A program in one file may begin with directives for its packages.
        CSharpParseOptions options = new CSharpParseOptions(LanguageVersion.Latest).WithFeatures([
            new KeyValuePair<string, string>("FileBasedProgram", "true"),
        ]);
        string[] assemblies = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator);
        return CSharpCompilation.Create(
            "Listing",
            [
                CSharpSyntaxTree.ParseText(ImplicitUsings, options, cancellationToken: stop),
                CSharpSyntaxTree.ParseText(text, options, cancellationToken: stop),
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
}
