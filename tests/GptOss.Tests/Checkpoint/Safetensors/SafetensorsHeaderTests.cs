// Over 300 lines: one table of headers with the verdicts of the reference parser.
using System.Buffers.Binary;
using System.Text.Json;
using GptOss.Checkpoint;
using GptOss.Checkpoint.Safetensors;

namespace GptOss.Tests.Checkpoint.Safetensors;

/// <remarks>
/// vectors/header-corpus.jsonl: 4,000 files made by seeded mutation (b64), each with the verdict (ok) and the words
/// (why) of the reference parser, huggingface/safetensors 0.8.0-dev at 24b0b285, compiled; dup marks files with a name
/// twice in one object.
/// </remarks>
public class SafetensorsHeaderTests
{
    private const string A = """ "a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}""";

    [Fact]
    [Promise(3)]
    public void The_verdict_equals_the_reference_parsers_on_four_thousand_headers()
    {
        int valid = 0,
            invalid = 0,
            twice = 0,
            acceptedThereWithNameTwice = 0;
        var different = new List<string>();
        foreach (string line in File.ReadLines(Repository.Vector("header-corpus.jsonl")))
        {
            using JsonDocument item = JsonDocument.Parse(line);
            byte[] file = item.RootElement.GetProperty("b64").GetBytesFromBase64();
            bool expected = item.RootElement.GetProperty("ok").GetBoolean();
            bool nameTwice = item.RootElement.TryGetProperty("dup", out _);
            twice += nameTwice ? 1 : 0;
            acceptedThereWithNameTwice += nameTwice && expected ? 1 : 0;
            string? refusal = Refusal(file);
            valid += refusal is null ? 1 : 0;
            invalid += refusal is null ? 0 : 1;
            if ((refusal is null) != (expected && !nameTwice))
                different.Add($"{refusal ?? "accepted"} against {line}");
        }

        Assert.Empty(different);
        Assert.Equal((1186, 2814), (valid, invalid));
        // Our one strictness decides none of these files: the reference refuses all twenty for another fault.
        Assert.Equal((20, 0), (twice, acceptedThereWithNameTwice));
        Figure.Tell($"{valid + invalid:N0} mutated headers: {valid + invalid - different.Count:N0} equal verdicts");
    }

    [Fact]
    public void The_tensors_of_a_sound_file_lie_one_behind_the_other()
    {
        byte[] file = SafetensorsBytes.Sample;
        int data = file.Length - 38;

        TensorEntry[] tensors = SafetensorsHeader.Parse(file, file.Length, "x");

        Assert.Equal(["a.weight", "b", "c"], tensors.Select(tensor => tensor.Name));
        Assert.Equal([DType.F32, DType.BF16, DType.U8], tensors.Select(tensor => tensor.DType));
        Assert.Equal([data, data + 24, data + 34], tensors.Select(tensor => tensor.Begin));
        Assert.Equal([24, 10, 4], tensors.Select(tensor => tensor.ByteLength));
        Assert.Equal([6, 5, 4], tensors.Select(tensor => tensor.Count));
        Assert.Equal([2, 3], tensors[0].Shape);
    }

    [Theory]
    [InlineData("   {" + A + "}")] // leading space
    [InlineData("{" + A + "}     ")] // padding
    [InlineData("""{"__metadata__":null,""" + A + "}")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"more":[1.5,{"x":"y"}]}}""")] // unknown field
    [InlineData("""{"a":["U8",[4],[0,4]]}""")] // serde reads it so
    [InlineData("""{"a":{"dtype":{"U8":null},"shape":[4],"data_offsets":[0,4]}}""")] // and so
    [InlineData("{" + A + ""","b":{"dtype":"F32","shape":[0,7],"data_offsets":[4,4]}}""")]
    [InlineData("{" + A + ""","b":{"dtype":"U8","shape":[0,18446744073709551615],"data_offsets":[4,4]}}""")]
    [InlineData("""{"a":{"dtype":"F4","shape":[8],"data_offsets":[0,4]}}""")] // half bytes
    [InlineData("""{"a":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[0,3]},"b":["BOOL",[],[3,4]]}""")]
    [Promise(2)]
    public void A_valid_oddity_is_accepted(string json) => Assert.Null(Refusal(SafetensorsBytes.WithHeader(json, 4)));

    [Theory]
    [InlineData("{" + A + "," + A + "}", "twice")]
    [InlineData("{" + A + ""","\u0061":{"dtype":"I8","shape":[4],"data_offsets":[0,4]}}""", "twice")]
    [InlineData("""{"__metadata__":{"k":"1","k":"2"},""" + A + "}", "twice")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"x":[{"z":1,"z":2}]}}""", "'z' occurs twice")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"x":1e400}}""", "1e400")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"x":"\ud800"}}""", "Unicode")]
    [InlineData("""{"__metadata__":{"k":1},""" + A + "}", "object of strings")]
    [InlineData("""{"a":{"dtype":"U8","shape":[-0],"data_offsets":[0,4]}}""", "-0")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4.0],"data_offsets":[0,4]}}""", "4.0")]
    [InlineData("""{"a":{"dtype":"U8","shape":"4","data_offsets":[0,4]}}""", "an array of whole numbers")]
    [InlineData("""{"a":{"dtype":"u8","shape":[4],"data_offsets":[0,4]}}""", "'u8'")]
    [InlineData("""{"a":{"shape":[4],"data_offsets":[0,4]}}""", "'dtype' is missing")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4]}}""", "'data_offsets' is missing")]
    [InlineData("""{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}""", "leave over 1 bytes")]
    [InlineData("""{"a":{"dtype":"U8","shape":[3],"data_offsets":[1,4]}}""", "begin at 0")] // hole
    [InlineData("""{"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]}}""", "only 4 follow")]
    [InlineData("""{"a":{"dtype":"U8","shape":[5],"data_offsets":[0,4]}}""", "takes 5 bytes")]
    [InlineData("""{"a":{"dtype":"F4","shape":[7],"data_offsets":[0,4]}}""", "whole bytes")]
    [InlineData("""{"a":["U8",[4194305,4194305,211106198978564],[0,4]]}""", "64 bits")] // 4 modulo 2^64
    [InlineData("{" + A + ""","b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", "begin at 4")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}}""", "end before they begin")]
    [InlineData(
        """{"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]},"a":{"dtype":"U8","shape":[2],"data_offsets":[100,102]}}""",
        "tensor 'a' should end 102 bytes"
    )]
    [InlineData(
        """{"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,1]}}""",
        "tensor 'a' is U8 [2], which takes 2"
    )]
    [InlineData(
        """{"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""",
        "where 'a' ends"
    )]
    [InlineData("""[]""", "an object")]
    public void A_fault_is_named(string json, string words)
    {
        string? refusal = Refusal(SafetensorsBytes.WithHeader(json, 4));

        Assert.NotNull(refusal);
        Assert.StartsWith("folder/x.safetensors: ", refusal);
        Assert.Contains(words, refusal);
    }

    [Fact]
    public void Nesting_without_end_is_refused_without_recursion()
    {
        string deep = $$"""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"x":{{new string('[', 1_000_000)}}""";
        Assert.NotNull(Refusal(SafetensorsBytes.WithHeader(deep, 4)));
    }

    [Fact]
    public void More_than_a_hundred_thousand_tensors_are_refused()
    {
        static string Empty(int count) =>
            "{"
            + string.Join(
                ',',
                Enumerable
                    .Range(0, count)
                    .Select(i => $"\"{i}\":{{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}")
            )
            + "}";

        Assert.Null(Refusal(SafetensorsBytes.WithHeader(Empty(HeaderJson.MaxTensors), 0)));
        Assert.Contains("more than 100000", Refusal(SafetensorsBytes.WithHeader(Empty(HeaderJson.MaxTensors + 1), 0)));
    }

    [Fact]
    public void More_than_a_million_dimensions_or_names_are_refused()
    {
        static string Shape(int rank) =>
            "{\"a\":[\"U8\",[" + string.Join(',', Enumerable.Repeat(1, rank)) + "],[0,1]]}";
        static string Metadata(int names) =>
            "{\"__metadata__\":{" + string.Join(',', Enumerable.Range(0, names).Select(i => $"\"{i}\":\"\"")) + "}}";

        Assert.Null(Refusal(SafetensorsBytes.WithHeader(Shape(100_000), 1))); // legal, if not of a model known
        Assert.Contains("dimensions", Refusal(SafetensorsBytes.WithHeader(Shape(HeaderJson.MaxDimensions + 1), 1)));
        Assert.Null(Refusal(SafetensorsBytes.WithHeader(Metadata(10), 0)));
        Assert.Contains("names", Refusal(SafetensorsBytes.WithHeader(Metadata(HeaderJson.MaxNames + 1), 0)));
    }

    [Fact]
    public void A_header_length_beyond_the_limit_is_refused_before_anything_is_read()
    {
        byte[] start = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(start, 100_000_000);
        Assert.Equal(100_000_008, SafetensorsHeader.LengthWithPrefix(start, long.MaxValue, "x"));

        BinaryPrimitives.WriteInt64LittleEndian(start, 100_000_001);
        Assert.Throws<CheckpointException>(() => SafetensorsHeader.LengthWithPrefix(start, long.MaxValue, "x"));
    }

    [Fact]
    public void A_name_with_control_characters_and_of_any_length_leaves_the_message_short_and_printable()
    {
        string name = "\\n\\u001b[31m" + new string('n', 5000);
        string? refusal = Refusal(
            SafetensorsBytes.WithHeader($"{{\"{name}\":{{\"dtype\":\"U8\",\"shape\":[5],\"data_offsets\":[0,4]}}}}", 4)
        );

        Assert.Contains("takes 5 bytes", refusal);
    }

    /// <summary>What is said against a file; null where it is accepted. Any other exception fails the test.</summary>
    private static string? Refusal(byte[] file)
    {
        try
        {
            SafetensorsHeader.Parse(file, file.Length, "folder/x.safetensors");
            return null;
        }
        catch (CheckpointException e)
        {
            Assert.InRange(e.Message.Length, 1, 500);
            Assert.DoesNotContain(e.Message, char.IsControl);
            return e.Message;
        }
    }
}
