using System.Text.RegularExpressions;

namespace GptOss.Tests;

public sealed partial class RoomsTests
{
    // The same table is drawn in docs/architecture.md.
    private static readonly Dictionary<string, string[]> MayUse = new()
    {
        ["Checkpoint"] = [],
        ["Kernels"] = [],
        ["Threading"] = [],
        ["Tokenization"] = ["Checkpoint"],
        ["Model"] = ["Checkpoint", "Kernels", "Threading"],
        ["Sampling"] = ["Kernels", "Threading"],
        ["Generation"] = ["Model", "Kernels", "Sampling", "Threading"],
        ["Harmony"] = ["Tokenization"],
        ["Chat"] = ["Harmony", "Generation", "Sampling", "Tokenization"],
    };

    // Types of the root that any room may use: options, results, exceptions, and what makes text fit for a message.
    private static readonly string[] Vocabulary =
    [
        "CheckpointException",
        "ContextLengthException",
        "EndReason",
        "EngineBusyException",
        "EngineFaultException",
        "GptOssException",
        "GptOssRequestOptions",
        "HarmonyFormatException",
        "KeepReasoning",
        "KeyValueFormat",
        "LikelyToken",
        "LoadProgress",
        "ModelOptions",
        "NumericFaultException",
        "Precision",
        "Printable",
        "PromptProgress",
        "SamplingOptions",
        "SavedStateException",
        "TokenProbability",
    ];

    public static TheoryData<string> Rooms => [.. MayUse.Keys];

    [Fact]
    public void Every_folder_of_the_library_is_a_room_of_the_table() =>
        Assert.Empty(SourceText.Rooms.Except(MayUse.Keys));

    [Theory, MemberData(nameof(Rooms))]
    public void A_room_uses_only_the_rooms_below_it(string room)
    {
        Assert.Empty(Strangers(room, SourceText.Files("src", "GptOss", room).SelectMany(File.ReadLines)));
    }

    [Theory]
    [InlineData("using GptOss.Generation;", true)]
    [InlineData("    var logits = Model.Transformer.Forward(w);", true)]
    [InlineData("using static GptOss.Tokenization.TokenBytes;", true)]
    [InlineData("using Rows = GptOss.Model.Rows;", true)]
    [InlineData("using GptOss.Kernels;", false)] // below it
    [InlineData("float t = options.Model.Temperature;", false)] // a property of that name
    [InlineData("/// <summary>Knows nothing of Model.</summary>", false)]
    [InlineData("int next = 0;   // as in the Model.", false)]
    public void A_stranger_in_a_room_is_noticed(string line, bool noticed) =>
        Assert.Equal(noticed, Strangers("Sampling", [line]).Any());

    [Fact]
    public void The_map_draws_the_table_that_is_tested()
    {
        var drawn = new Dictionary<string, string[]>();
        foreach (string line in File.ReadLines(Path.Combine(Repository.Root, "docs", "architecture.md")))
        {
            Match row = TableRow().Match(line);
            if (row.Success)
                drawn[row.Groups[1].Value] = [.. RoomName().Matches(row.Groups[2].Value).Select(name => name.Value)];
        }

        Assert.Equal(MayUse.Keys.Order(), drawn.Keys.Order());
        Assert.All(MayUse, room => Assert.Equal(room.Value, drawn[room.Key]));
    }

    [Fact]
    public void No_room_uses_a_type_of_the_front_but_options_results_and_exceptions()
    {
        string[] doors =
        [
            .. SourceText
                .Types("src", "GptOss")
                .Where(type => !type.File.Contains('/'))
                .Select(type => type.Name)
                .Except(Vocabulary),
        ];
        Assert.Equal(["GptOssChatClient", "GptOssModel", "GptOssTokenizer", "TokenGeneration"], doors.Order());
        string pattern = $@"\b({string.Join('|', doors)})\b";
        Assert.Empty(SourceText.Rooms.SelectMany(room => SourceText.Matches(pattern, "src", "GptOss", room)));
    }

    [Fact]
    public void Only_Chat_knows_the_abstractions_of_chat_clients() =>
        Assert.Empty(
            SourceText
                .Rooms.Where(room => room != "Chat")
                .SelectMany(room => SourceText.Matches(@"\bMicrosoft\.Extensions\.", "src", "GptOss", room))
        );

    /// <summary>
    /// The names in a file's code, comments taken off, stand for what its types know: fields, parameters, locals.
    /// </summary>
    [Fact]
    public void The_types_of_Generation_know_each_other_in_one_direction()
    {
        Dictionary<string, HashSet<string>> known = KnownTypes("Generation");
        string[] onCircles = [.. known.Keys.Where(type => Reached(known, type).Contains(type))];
        Assert.Empty(onCircles);
        Assert.Contains("Sequence", known["Scheduler"]);
        foreach (string runs in (string[])["Engine", "IPass", "Continuation", "EnginePasses"])
            Assert.Empty(Reached(known, runs).Intersect(["Scheduler", "Sequence", "PassPlan", "RequestQueue"]));
    }

    [Theory]
    [InlineData("class A { B b; } class B { }", false)]
    [InlineData("class A { B b; } class B { void M(C c) { } } class C { void M() => new A(); }", true)]
    [InlineData("class A { A next; }", false)] // a list of its own kind
    [InlineData("class A { B b; } class B { } // told by A", false)]
    public void A_circle_of_types_is_noticed(string code, bool isNoticed)
    {
        Dictionary<string, HashSet<string>> known = Known(code.Replace(" class", "\nclass").Split('\n'));
        Assert.Equal(isNoticed, known.Keys.Any(type => Reached(known, type).Contains(type)));
    }

    private static Dictionary<string, HashSet<string>> KnownTypes(string room) =>
        Known(SourceText.Files("src", "GptOss", room).SelectMany(File.ReadLines));

    // What a type names, and what the types within it name, down to the next type that begins at the left margin.
    private static Dictionary<string, HashSet<string>> Known(IEnumerable<string> lines)
    {
        var words = new Dictionary<string, HashSet<string>>();
        string? type = null;
        foreach (string line in lines)
        {
            string code = SourceText.WithoutComment(line);
            if (!code.StartsWith(' ') && SourceText.TypesOf("", [code]).FirstOrDefault() is { } begins)
                words.TryAdd(type = begins.Name, []); // once more where it is partial
            else if (code.StartsWith("using ", StringComparison.Ordinal))
                type = null; // the head of the next file
            if (type is not null)
                words[type].UnionWith(Word().Matches(code).Select(word => word.Value));
        }
        return words.ToDictionary(
            each => each.Key,
            each => each.Value.Intersect(words.Keys).Where(name => name != each.Key).ToHashSet()
        );
    }

    // The types that a type knows, and those that they know, and so on; itself only by way of another.
    private static HashSet<string> Reached(Dictionary<string, HashSet<string>> known, string type)
    {
        HashSet<string> reached = [];
        Queue<string> next = new(known[type]);
        while (next.TryDequeue(out string? name))
            if (reached.Add(name))
                foreach (string further in known[name])
                    next.Enqueue(further);
        return reached;
    }

    /// <summary>A global using of a room would hide from the other tests.</summary>
    [Fact]
    public void Global_usings_name_the_base_library_only() =>
        Assert.Empty(SourceText.Matches(@"^\s*global\s+using\s+(?!System\b)", "src", "GptOss"));

    private static IEnumerable<string> Strangers(string room, IEnumerable<string> lines)
    {
        string other = $@"(?<![\w.])(?:GptOss\.)?({string.Join('|', MayUse.Keys)})[.;]";
        return from line in lines
            from Match match in Regex.Matches(SourceText.WithoutComment(line), other)
            let used = match.Groups[1].Value
            where used != room && !MayUse[room].Contains(used)
            select $"{line.Trim()} uses {used}";
    }

    [GeneratedRegex(@"^\| `(\w+)/` \| ([^|]*) \|")]
    private static partial Regex TableRow();

    [GeneratedRegex(@"\b[A-Z]\w+\b")]
    private static partial Regex RoomName();

    [GeneratedRegex(@"(?<!\.)\b[A-Z]\w*")]
    private static partial Regex Word();
}
