using System.Text;
using GptOss.Checkpoint;

namespace GptOss.Tests.Checkpoint;

public class JsonFieldsTests
{
    [Fact]
    public void Fields_are_read_as_what_they_are()
    {
        JsonFields config = Parse(
            """
            {"hidden_size": 2880, "rms_norm_eps": 1e-05, "rope_theta": 150000, "model_type": "gpt_oss",
             "attention_bias": true, "eos_token_id": [200002, 199999], "pad_token_id": 199999,
             "layer_types": ["a", "b"], "rope_scaling": {"factor": 32.0}}
            """
        );

        Assert.Equal(2880, config.Int32("hidden_size", 1, int.MaxValue));
        Assert.Equal(1e-5, config.Number("rms_norm_eps"));
        Assert.Equal(150000, config.Number("rope_theta"));
        Assert.Equal("gpt_oss", config.Text("model_type"));
        Assert.True(config.OptionalBoolean("attention_bias"));
        Assert.Equal([200002, 199999], config.OptionalInt32s("eos_token_id", 0, int.MaxValue)!);
        Assert.Equal([199999], config.OptionalInt32s("pad_token_id", 0, int.MaxValue)!);
        Assert.Equal(["a", "b"], config.OptionalTexts("layer_types")!);
        Assert.Equal(32, config.Object("rope_scaling").Number("factor"));
        Assert.Equal("hidden_size", config.Names.First());
    }

    [Theory]
    [InlineData("{}", false)]
    [InlineData("""{"x": null}""", true)]
    public void An_absent_field_or_null_is_none_where_optional_and_an_error_where_required(string json, bool there)
    {
        JsonFields config = Parse(json);

        Assert.Equal(there, config.Has("x"));
        Assert.Null(config.OptionalInt32("x", 0, 9));
        Assert.Null(config.OptionalNumber("x"));
        Assert.Null(config.OptionalText("x"));
        Assert.Null(config.OptionalBoolean("x"));
        Assert.Null(config.OptionalInt32s("x", 0, 9));
        Assert.Null(config.OptionalTexts("x"));
        Assert.Null(config.OptionalObject("x"));
        Assert.Null(config.OptionalObjects("x"));
        var e = Assert.Throws<CheckpointException>(() => config.Int32("x", 0, 9));
        Assert.Equal($"expected a whole number from 0 to 9, found {(there ? "null" : "nothing")}.", e.Reason);
        Assert.Throws<CheckpointException>(() => config.Number("x"));
        Assert.Throws<CheckpointException>(() => config.Text("x"));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("65")]
    [InlineData("-1")]
    [InlineData("8.5")]
    [InlineData("1e2")]
    [InlineData("NaN")]
    [InlineData("-Infinity")]
    [InlineData("99999999999")]
    [InlineData("\"8\"")]
    [InlineData("true")]
    [InlineData("[]")]
    public void A_whole_number_of_another_kind_or_size_is_refused(string value)
    {
        var e = Assert.Throws<CheckpointException>(() => Parse($$"""{"layers": {{value}}}""").Int32("layers", 1, 64));

        Assert.StartsWith(
            "folder/config.json: field 'layers': expected a whole number from 1 to 64, found ",
            e.Message
        );
        Assert.Equal(("folder/config.json", "layers"), (e.FilePath, e.FieldName));
    }

    [Theory]
    [InlineData("6.0")]
    [InlineData("6e0")]
    [InlineData("0.6e1")]
    public void A_whole_number_may_be_written_with_a_point(string value)
    {
        JsonFields config = Parse($$"""{"a": {{value}}, "b": [{{value}}, 7]}""");
        Assert.Equal(6, config.Int32("a", 1, 9));
        Assert.Equal([6, 7], config.OptionalInt32s("b", 1, 9)!);
    }

    [Theory]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("-Infinity")]
    public void What_python_writes_for_no_number_is_read_and_refused_where_a_number_is_needed(string word)
    {
        JsonFields config = Parse(
            $$"""{"loss": {{word}}, "list": [1, {{word}}], "in": {"x":{{word}}}, "text": "NaN, \"Infinity", "b": 2}"""
        );
        Assert.Equal(2, config.Int32("b", 0, 9));
        Assert.Equal("NaN, \"Infinity", config.Text("text"));
        string message = Assert.Throws<CheckpointException>(() => config.Number("loss")).Message;
        Assert.Equal($"folder/config.json: field 'loss': expected a finite number, found {word}.", message);
        Assert.EndsWith(
            $", found {word}.",
            Assert.Throws<CheckpointException>(() => config.Object("in").Int32("x", 0, 9)).Message
        );
        Assert.EndsWith(
            $", found {word}.",
            Assert.Throws<CheckpointException>(() => config.OptionalInt32s("list", 0, 9)).Message
        );
        Assert.EndsWith($", found {word}.", Assert.Throws<CheckpointException>(() => config.Text("loss")).Message);
    }

    [Fact]
    public void A_value_of_the_wrong_kind_is_named_with_its_place()
    {
        JsonFields config = Parse("""{"rope": {"factor": "x", "on": 1, "kind": {}, "list": [1], "ids": [1, "2"]}}""");
        JsonFields rope = config.Object("rope");

        Assert.Equal(
            "folder/config.json: field 'rope.factor': expected a number, found 'x'.",
            Assert.Throws<CheckpointException>(() => rope.Number("factor")).Message
        );
        Assert.Contains(
            "true or false, found 1",
            Assert.Throws<CheckpointException>(() => rope.OptionalBoolean("on")).Message
        );
        Assert.Contains(
            "a string, found an object",
            Assert.Throws<CheckpointException>(() => rope.Text("kind")).Message
        );
        Assert.Contains(
            "an array of strings, found 1",
            Assert.Throws<CheckpointException>(() => rope.OptionalTexts("list")).Message
        );
        Assert.Contains(
            "found '2'",
            Assert.Throws<CheckpointException>(() => rope.OptionalInt32s("ids", 0, 9)).Message
        );
        Assert.Contains(
            "an object, found 'x'",
            Assert.Throws<CheckpointException>(() => rope.Object("factor")).Message
        );
    }

    [Fact]
    public void A_byte_order_mark_is_skipped() => Assert.Equal(1, Parse("\ufeff{\"a\": 1}").Int32("a", 0, 9));

    [Theory]
    [InlineData("", "expected JSON of at most 64 levels, found an error in line 1")]
    [InlineData("[1]", "expected a JSON object, found an array")]
    [InlineData("{\"a\": 1", "line 1 at byte")]
    [InlineData("{\"a\": NaNs}", "expected JSON of at most 64 levels, found an error in line 1")]
    [InlineData("{\"a\": +Infinity}", "expected JSON of at most 64 levels, found an error in line 1")]
    [InlineData("{\"a\": 1NaN}", "expected JSON of at most 64 levels, found an error in line 1")]
    [InlineData("{\"a\": 1,}", "expected JSON of at most 64 levels, found an error in line 1")]
    [InlineData("{} {}", "expected JSON of at most 64 levels, found an error in line 1")]
    [InlineData("{\"a\": 1, \"a\": 2}", "field 'a': expected once, found twice")]
    [InlineData("{\"a\": 1, \"\\u0061\": 2}", "field 'a': expected once, found twice")]
    [InlineData("{\"a\": [{\"b\": {\"c\": 1, \"c\": 2}}]}", "field 'a.b.c': expected once, found twice")]
    [InlineData("{\"a\": {\"b\": 1e999}}", "field 'a.b': expected a finite number, found 1e999")]
    [InlineData("{\"a\": \"\\ud800\"}", "not Unicode")]
    [InlineData("{\"\\ud800\": 1}", "not Unicode")]
    public void Damage_anywhere_is_refused_when_the_file_is_read(string json, string words)
    {
        string message = Assert.Throws<CheckpointException>(() => Parse(json)).Message;

        Assert.StartsWith("folder/config.json: ", message);
        Assert.Contains(words, message);
    }

    [Fact]
    public void Bytes_that_are_not_utf8_are_refused() =>
        Assert.Throws<CheckpointException>(() =>
            JsonFields.Parse(
                (byte[])[.. "{\"a"u8, 0xC3, .. "\": 1}"u8],
                "folder/config.json",
                TestContext.Current.CancellationToken
            )
        );

    [Fact]
    public void A_million_brackets_are_refused() =>
        Assert.Throws<CheckpointException>(() => Parse("{\"a\":" + new string('[', 1_000_000)));

    [Theory]
    [InlineData("0")]
    [InlineData("{}")]
    public void A_text_of_too_many_values_is_refused_before_a_tree_is_made_of_it(string value)
    {
        byte[] text = Encoding.UTF8.GetBytes($"{{\"a\":[{string.Join(',', Enumerable.Repeat(value, 2_000_000))}]}}");
        long before = GC.GetAllocatedBytesForCurrentThread();

        string message = Assert
            .Throws<CheckpointException>(() =>
                JsonFields.Parse(text, "folder/config.json", TestContext.Current.CancellationToken)
            )
            .Message;

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        Assert.Equal(
            "folder/config.json: holds more than 2000000 names and values, but should have at most that many.",
            message
        );
    }

    [Fact]
    public void A_text_beyond_the_longest_configuration_is_refused_before_a_tree_is_made_of_it()
    {
        byte[] text = Encoding.UTF8.GetBytes($"{{\"a\":\"{new string('x', JsonFields.MaxBytes)}\"}}");
        long before = GC.GetAllocatedBytesForCurrentThread();

        string message = Assert
            .Throws<CheckpointException>(() =>
                JsonFields.Parse(text, "folder/tokenizer.json", TestContext.Current.CancellationToken)
            )
            .Message;

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        Assert.EndsWith("has 16777224 bytes, but should have at most 16777216.", message);
    }

    [Fact]
    public void Any_byte_changed_gives_an_object_or_a_refusal_fit_to_print()
    {
        byte[] sound = Encoding.UTF8.GetBytes(
            """{"a": [1, 2.5e3, {"é": "\u00e9\n"}], "b": {"c": null, "d": false}, "e": -0}"""
        );
        int refused = 0;
        for (int at = 0; at < sound.Length; at++)
        {
            for (int value = 0; value < 256; value++)
            {
                byte[] damaged = [.. sound];
                damaged[at] = (byte)value;
                try
                {
                    JsonFields.Parse(damaged, "x", TestContext.Current.CancellationToken);
                }
                catch (CheckpointException e)
                {
                    refused++;
                    Assert.InRange(e.Message.Length, 1, 500);
                    Assert.DoesNotContain(e.Message, char.IsControl);
                }
            }
        }
        Assert.InRange(refused, 1000, sound.Length * 256);
    }

    private static JsonFields Parse(string json) =>
        JsonFields.Parse(Encoding.UTF8.GetBytes(json), "folder/config.json", TestContext.Current.CancellationToken);
}
