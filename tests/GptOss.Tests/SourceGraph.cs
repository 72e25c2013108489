using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace GptOss.Tests;

/// <summary>
/// Which piece of source knows which other one. A piece knows a type where its code names the type: for a field, a
/// parameter, a local, a call. The compiler reads the names, so that a property named like a type of elsewhere, a
/// comment or a string is no knowledge.
/// </summary>
internal sealed class SourceGraph
{
    // Code for each framework and for none in particular is all read, as far as one reading can.
    private static readonly CSharpParseOptions Options = new CSharpParseOptions(
        LanguageVersion.Latest
    ).WithPreprocessorSymbols("NET10_0_OR_GREATER", "NET11_0_OR_GREATER");

    private static readonly Lazy<(SourceGraph Files, SourceGraph Types)> OfSrc = new(() =>
        Of(SourceText.Files("src").Select(file => (PathFromSrc(file), File.ReadAllText(file))))
    );

    private readonly SortedDictionary<string, HashSet<string>> _known = new(StringComparer.Ordinal);

    /// <summary>
    /// The files of <c>src</c> by their paths without ending: "GptOss/Kernels/Mxfp4" is Mxfp4.cs and Mxfp4.Strip.cs.
    /// </summary>
    public static SourceGraph Files => OfSrc.Value.Files;

    /// <summary>The types of <c>src</c> by their names; a nested type is part of the outermost one.</summary>
    public static SourceGraph Types => OfSrc.Value.Types;

    /// <summary>All pieces, in the order of their names.</summary>
    public IEnumerable<string> Pieces => _known.Keys;

    /// <summary>The pieces that a piece names itself.</summary>
    public IReadOnlySet<string> KnownBy(string piece) => _known[piece];

    /// <summary>
    /// The pieces that a piece knows, those that they know, and so on; itself only by way of another.
    /// </summary>
    public HashSet<string> Reached(string piece)
    {
        HashSet<string> reached = [];
        var next = new Queue<string>(_known[piece]);
        while (next.TryDequeue(out string? name))
            if (reached.Add(name))
                foreach (string further in _known[name])
                    next.Enqueue(further);
        return reached;
    }

    /// <summary>The largest sets of pieces that each reach all others of the set.</summary>
    public List<string[]> Circles()
    {
        Dictionary<string, HashSet<string>> reached = Pieces.ToDictionary(piece => piece, Reached);
        var circles = new List<string[]>();
        foreach (string piece in Pieces.Where(piece => reached[piece].Contains(piece)))
            if (!circles.Exists(circle => circle.Contains(piece)))
                circles.Add([
                    .. Pieces.Where(other => reached[piece].Contains(other) && reached[other].Contains(piece)),
                ]);
        return circles;
    }

    /// <summary>The files and the types of some source.</summary>
    public static (SourceGraph Files, SourceGraph Types) Of(IEnumerable<(string Path, string Code)> source)
    {
        SyntaxTree[] trees = [.. source.Select(file => CSharpSyntaxTree.ParseText(file.Code, Options, file.Path))];
        HashSet<string> names = [.. trees.SelectMany(tree => Declarations(tree).Select(type => type.Identifier.Text))];
        var compilation = CSharpCompilation.Create(
            "Source",
            [CSharpSyntaxTree.ParseText(Listing.ImplicitUsings, Options), .. trees],
            References(),
            new CSharpCompilationOptions(OutputKind.ConsoleApplication, allowUnsafe: true)
        );
        SourceGraph files = new(),
            types = new();
        foreach (SyntaxTree tree in trees)
        {
            SemanticModel model = compilation.GetSemanticModel(tree);
            files.Add(PieceOf(tree), []);
            foreach (BaseTypeDeclarationSyntax type in Declarations(tree))
                types.Add(type.Identifier.Text, []);
            foreach (SimpleNameSyntax name in tree.GetRoot().DescendantNodes().OfType<SimpleNameSyntax>())
            {
                if (!names.Contains(name.Identifier.Text) || TypeNamedBy(name, model) is not { } known)
                    continue;
                files.Add(PieceOf(tree), known.DeclaringSyntaxReferences.Select(part => PieceOf(part.SyntaxTree)));
                if (name.Ancestors().OfType<BaseTypeDeclarationSyntax>().LastOrDefault() is { } outermost)
                    types.Add(outermost.Identifier.Text, [known.Name]);
            }
        }
        return (files, types);
    }

    private void Add(string piece, IEnumerable<string> known)
    {
        if (!_known.TryGetValue(piece, out HashSet<string>? all))
            _known[piece] = all = [];
        all.UnionWith(known.Where(name => name != piece));
    }

    // The declaration of a type of the source outside every other type; null where the name stands for anything else.
    private static INamedTypeSymbol? TypeNamedBy(SimpleNameSyntax name, SemanticModel model)
    {
        SymbolInfo info = model.GetSymbolInfo(name);
        ISymbol? symbol = info.Symbol ?? info.CandidateSymbols.FirstOrDefault();
        INamedTypeSymbol? type = symbol is IMethodSymbol { MethodKind: MethodKind.Constructor } constructor
            ? constructor.ContainingType
            : symbol as INamedTypeSymbol;
        return type is { ContainingType: null, DeclaringSyntaxReferences.Length: > 0 } ? type.OriginalDefinition : null;
    }

    private static IEnumerable<BaseTypeDeclarationSyntax> Declarations(SyntaxTree tree) =>
        tree.GetRoot()
            .DescendantNodes(node => node is CompilationUnitSyntax or BaseNamespaceDeclarationSyntax)
            .OfType<BaseTypeDeclarationSyntax>();

    private static string PieceOf(SyntaxTree tree)
    {
        int name = tree.FilePath.LastIndexOf('/') + 1;
        return tree.FilePath[..(tree.FilePath.IndexOf('.', name) is >= 0 and int end ? end : tree.FilePath.Length)];
    }

    private static string PathFromSrc(string file) => SourceText.PathFrom(Path.Combine(Repository.Root, "src"), file);

    // Without the library and the tool as they were built: their source stands for them.
    private static IEnumerable<MetadataReference> References() =>
        from file in ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
        where !Path.GetFileName(file).StartsWith("GptOss", StringComparison.Ordinal)
        select MetadataReference.CreateFromFile(file);
}
