using System.Text.RegularExpressions;

namespace GptOss.Tests;

public sealed partial class RoomsTests
{
    // The same table is drawn in docs/architecture.md.
    private static readonly Dictionary<string, string[]> MayUse = new()
    {
        ["Checkpoint"] = [],
        ["Hub"] = ["Checkpoint"],
        ["Kernels"] = [],
        ["Threading"] = [],
        ["Tokenization"] = ["Checkpoint"],
        ["Model"] = ["Checkpoint", "Kernels", "Threading"],
        ["Adapter"] = ["Checkpoint", "Kernels", "Model"],
        ["Sampling"] = ["Kernels", "Threading"],
        ["Constraints"] = ["Tokenization", "Sampling"],
        ["Generation"] = ["Model", "Kernels", "Sampling", "Threading"],
        ["Harmony"] = ["Tokenization", "Constraints"],
        ["Chat"] = ["Harmony", "Generation", "Sampling", "Tokenization", "Constraints"],
    };

    // Types of the root that any room may use: options, results, exceptions, and what makes text fit for a message.
    private static readonly string[] Vocabulary =
    [
        "CallDelta",
        "CheckpointException",
        "ContextLengthException",
        "DownloadProgress",
        "EndReason",
        "EngineBusyException",
        "EngineFaultException",
        "FoundModel",
        "GptOssException",
        "GptOssGrammar",
        "GptOssRequestOptions",
        "HarmonyFormatException",
        "HubException",
        "HubOptions",
        "HubProblem",
        "KeepReasoning",
        "KeyValueFormat",
        "LikelyToken",
        "LoadProgress",
        "ModelFormat",
        "ModelOptions",
        "ModelStore",
        "NumericFaultException",
        "Precision",
        "Printable",
        "PromptProgress",
        "SamplingOptions",
        "SavedStateException",
        "SchemaException",
        "SchemaObjects",
        "SchemaOptions",
        "PropertyOrder",
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
        Assert.Equal(
            ["GptOssChatClient", "GptOssFiles", "GptOssHub", "GptOssModel", "GptOssTokenizer", "TokenGeneration"],
            doors.Order()
        );
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
}
