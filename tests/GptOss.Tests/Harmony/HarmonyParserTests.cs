using GptOss.Harmony;
using GptOss.Tokenization;

namespace GptOss.Tests.Harmony;

public sealed class HarmonyParserTests
{
    private const string Thought = "<|channel|>analysis<|message|>hm<|end|><|start|>assistant";
    private const string Answer = "<|channel|>final<|message|>hi<|return|>";

    /// <summary>Headers as models write them, and what was meant.</summary>
    [Theory]
    [InlineData("<|channel|>final<|message|>hi<|return|>", "final: hi")]
    [InlineData("<|channel|>final <|constrain|>json<|message|>{}<|return|>", "final <|constrain|>json: {}")]
    [InlineData("<|channel|>final json<|message|>{}<|return|>", "final json: {}")]
    [InlineData(" to=functions.f<|channel|>commentary json<|message|>{}<|call|>", "commentary to=functions.f json: {}")]
    [InlineData(
        "<|channel|>commentary to=functions.f<|constrain|>json<|message|>{}<|call|>",
        "commentary to=functions.f <|constrain|>json: {}"
    )]
    [InlineData(
        "<|channel|>commentary<|constrain|>json to=functions.f<|message|>{}<|call|>",
        "commentary to=functions.f <|constrain|>json: {}"
    )]
    [InlineData("<|channel|>commentary to=f<|message|>{}<|call|>", "commentary to=functions.f: {}")]
    [InlineData("<|channel|>commentary to=functions.functions.f<|message|>{}<|call|>", "commentary to=functions.f: {}")]
    [InlineData("<|channel|>commentary to=functions.fjson<|message|>{}<|call|>", "commentary to=functions.f: {}")]
    [InlineData(
        "<|channel|>commentary to=functions.f yaml<|message|>a: 1<|call|>",
        "commentary to=functions.f yaml: a: 1"
    )]
    [InlineData(
        "<|channel|>commentary to=functions.f x json<|message|>{}<|call|>",
        "commentary to=functions.f json: {}"
    )]
    [InlineData("<|channel|>commentary f json<|message|>{}<|call|>", "commentary to=functions.f json: {}")]
    [InlineData("<|channel|>commentaryto=functions.f<|message|>{}<|call|>", "commentary to=functions.f: {}")]
    [InlineData("<|channel|>analysis to=functions.f<|message|>{}<|call|>", "analysis to=functions.f: {}")]
    [InlineData("<|channel|>analysis to=python code<|message|>print(1)<|call|>", "analysis to=python code: print(1)")]
    [InlineData("<|channel|>commentary to=functions.python<|message|>1<|call|>", "commentary to=python: 1")]
    [InlineData(
        "<|channel|>commentary to=functions.unknown<|message|>{}<|call|>",
        "commentary to=functions.unknown: {}"
    )]
    [InlineData("<|channel|>commentary to=functions.f<|message|>{}<|return|>", "commentary to=functions.f: {}")]
    [InlineData("<|channel|>commentary to=functions.f<|message|>{}", "commentary to=functions.f: {}")]
    [InlineData("<|channel|>commentary to=all<|message|>hi<|end|>", "commentary: hi")]
    [InlineData("<|channel|>commentary to=assistant<|channel|>analysis<|message|>hm<|end|>", "analysis: hm")]
    [InlineData("<|channel|>comment<|message|>hi<|end|>", "commentary: hi")]
    [InlineData("<|channel|>finalx<|message|>hi<|end|>", "final: hi")]
    [InlineData("<|channel|>gizmo<|message|>hi<|end|>", "final: hi")]
    [InlineData("<|message|>hi<|end|>", "final: hi")]
    [InlineData("assistant<|channel|>final<|message|>hi<|end|>", "final: hi")]
    public void A_header_is_read_as_it_was_meant(string answer, string expected) =>
        Assert.Equal([expected], Markup.Lines(answer, "f"));

    /// <summary>Content that never got its marker is not lost.</summary>
    [Theory]
    [InlineData("{\"a\": 1}", "final: {\"a\": 1}")]
    [InlineData("I must\n refuse  this<|return|>", "final: I must\n refuse  this")]
    [InlineData("<|channel|>final The answer is 4.<|return|>", "final: The answer is 4.")]
    [InlineData("<|channel|>finalThe answer is 4.<|return|>", "final: The answer is 4.")]
    [InlineData("<|channel|>final4<|return|>", "final: 4")]
    [InlineData("<|channel|>final Here is the code", "final: Here is the code")]
    [InlineData("<|channel|>final <|constrain|>json{\"a\":1}<|return|>", "final <|constrain|>json: {\"a\":1}")]
    [InlineData(
        "<|channel|>commentary to=functions.f <|constrain|>json{\"a\":1}<|call|>",
        "commentary to=functions.f <|constrain|>json: {\"a\":1}"
    )]
    [InlineData(
        "<|channel|>commentary to=functions.f json {\"a\":1}<|call|>",
        "commentary to=functions.f json: {\"a\":1}"
    )]
    [InlineData("<|channel|>commentary to=functions.f{\"a\":1}<|call|>", "commentary to=functions.f: {\"a\":1}")]
    [InlineData("<|channel|>commentary to=functions.f<|call|>", "commentary to=functions.f: ")]
    [InlineData("<|channel|>gizmo says hello<|end|>", "final: gizmo says hello")]
    [InlineData(
        "<|channel|>analysis I think that it is good<|message|>, yes<|end|>",
        "analysis: I think that it is good, yes"
    )]
    public void Text_in_a_header_becomes_content(string answer, string expected) =>
        Assert.Equal([expected], Markup.Lines(answer, "f"));

    /// <summary>A header that breaks off says nothing.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("<|channel|>")]
    [InlineData("<|channel|>comm")]
    [InlineData("<|channel|>commentary to=functions.get")]
    [InlineData("<|channel|>commentary?<|end|>")]
    [InlineData(" to=functions.f")]
    [InlineData(" to")]
    [InlineData("<|return|>")]
    public void A_header_without_content_is_no_message(string answer) => Assert.Empty(Markup.Lines(answer, "f"));

    [Theory]
    [InlineData(Thought + Answer, "analysis: hm", "final: hi")]
    [InlineData("I refuse<|end|><|start|>assistant" + Answer, "analysis: I refuse", "final: hi")]
    [InlineData("I refuse<|start|>assistant" + Answer, "analysis: I refuse", "final: hi")]
    [InlineData("<|channel|>gizmo<|message|>a<|end|><|start|>assistant<|message|>b<|end|>", "analysis: a", "final: b")]
    [InlineData("<|channel|>analysis<|message|>hm<|start|>assistant" + Answer, "analysis: hm", "final: hi")]
    [InlineData("<|channel|>analysis<|message|>hm<|end|>" + Answer, "analysis: hm", "final: hi")]
    [InlineData("<|channel|>analysis<|message|>hm<|end|>7<|message|>hi<|return|>", "analysis: hm", "final: hi")]
    [InlineData(Thought + "<|start|><|start|>assistant" + Answer + "<|return|>", "analysis: hm", "final: hi")]
    [InlineData(
        "<|channel|>analysis<|message|>a<|channel|>b<|constrain|>c<|message|>d<|end|>" + Answer,
        "analysis: abcd",
        "final: hi"
    )]
    [InlineData(
        "<|channel|>commentary<|message|>I look.<|end|><|start|>assistant to=functions.f<|channel|>commentary"
            + "<|message|>{}<|call|>commentary<|channel|>final<|message|>invented<|return|>",
        "commentary: I look.",
        "commentary to=functions.f: {}"
    )]
    public void Messages_are_told_apart(string answer, params string[] expected) =>
        Assert.Equal(expected, Markup.Lines(answer, "f"));

    [Theory]
    [InlineData("<|start|>user:alice<|message|>hi<|end|>", "user alice : hi")]
    [InlineData(
        "<|start|>functions.f to=assistant<|channel|>commentary<|message|>out<|end|>",
        "tool functions.f commentary to=assistant: out"
    )]
    [InlineData("<|start|>functions.f<|message|>out<|end|>", "tool functions.f : out")]
    [InlineData("<|start|>assistantI think so<|end|>", "final: I think so")]
    [InlineData("<|start|>Sorry, no.<|end|>", "final: Sorry, no.")]
    public void Without_a_preset_role_the_header_names_it(string text, string expected)
    {
        (HarmonyParser parser, _) = Markup.Parse(Markup.Tokens(text), preset: null);
        Assert.Equal([expected], parser.Messages.Select(Markup.Line));
    }

    [Fact]
    public void A_token_brings_its_text_at_once()
    {
        var parser = new HarmonyParser(Markup.Special);
        foreach (int token in Markup.Tokens("<|channel|>final<|message|>"))
            Assert.Empty(parser.Accept(token));
        foreach (int token in Tokenizer.O200kHarmony.Encode("Two words"))
            Assert.Equal([new HarmonyEvent.TextDelta(Channel.Final, Markup.Text([token]))], parser.Accept(token));
    }

    [Fact]
    public void A_character_comes_with_its_last_token_and_a_broken_one_at_the_end()
    {
        int[] heart = [31446, 244];
        (_, List<HarmonyEvent> events) = Markup.Parse([
            .. Markup.Tokens("<|channel|>final<|message|>"),
            .. heart,
            heart[0],
        ]);
        Assert.Equal(["💖", "\uFFFD"], events.OfType<HarmonyEvent.TextDelta>().Select(text => text.Delta));
    }

    [Fact]
    public void A_call_is_begun_streamed_and_finished()
    {
        (HarmonyParser parser, List<HarmonyEvent> events) = Markup.Parse(
            Markup.Tokens("<|channel|>commentary to=f <|constrain|>json<|message|>{}<|call|>"),
            HarmonyRole.Assistant,
            "f"
        );
        Assert.Equal(
            [
                new HarmonyEvent.CallBegun("functions.f", "<|constrain|>json"),
                new HarmonyEvent.ArgumentsDelta("{}"),
                new HarmonyEvent.CallFinished("functions.f", "{}", "<|constrain|>json", IsEnded: true),
                new HarmonyEvent.MessageFinished(parser.Messages[0]),
                new HarmonyEvent.End(AnswerEnd.Call),
            ],
            events
        );
    }

    [Theory]
    [InlineData("<|channel|>final<|message|>hi<|return|>", AnswerEnd.Return)]
    [InlineData("<|channel|>final<|message|>hi<|endoftext|>", AnswerEnd.EndOfText)]
    [InlineData("<|channel|>final<|message|>hi", AnswerEnd.Cut)]
    [InlineData("<|channel|>final<|message|>hi<|end|>", AnswerEnd.Cut)]
    [InlineData("<|channel|>final<|message|>hi<|end|><|return|><|call|>", AnswerEnd.Return)]
    [InlineData("", AnswerEnd.Cut)]
    internal void The_end_is_told_once_with_its_reason(string answer, AnswerEnd reason)
    {
        (_, List<HarmonyEvent> events) = Markup.Parse(Markup.Tokens(answer));
        Assert.Equal([new HarmonyEvent.End(reason)], events.OfType<HarmonyEvent.End>());
        Assert.IsType<HarmonyEvent.End>(events[^1]);
    }

    [Fact]
    public void A_call_cut_off_says_so()
    {
        (_, List<HarmonyEvent> events) = Markup.Parse(
            Markup.Tokens("<|channel|>commentary to=functions.f<|message|>{\"a")
        );
        Assert.False(Assert.Single(events.OfType<HarmonyEvent.CallFinished>()).IsEnded);
    }

    [Fact]
    public void A_message_keeps_the_ids_of_its_text()
    {
        (HarmonyParser parser, _) = Markup.Parse(
            Markup.Tokens(
                Thought
                    + "<|channel|>commentary to=functions.f <|constrain|>json<|message|>{}<|call|><|start|>assistant"
                    + Answer
            )
        );
        Assert.Equal(["hm", "{}", "hi"], parser.Messages.Select(message => Markup.Text(message.ContentTokens!)));
    }

    [Theory]
    [InlineData("<|channel|>final<|message|>h<|channel|>i<|end|>")] // a marker in the text
    [InlineData("<|channel|>final<|message|>h<|reserved_200000|>i<|end|>")] // a token that is no text
    [InlineData("hi<|end|>")] // text without a header
    public void A_message_whose_ids_are_not_its_text_is_written_anew_in_a_history(string answer)
    {
        (HarmonyParser parser, _) = Markup.Parse(Markup.Tokens(answer), HarmonyRole.Assistant, "f");
        Assert.Null(Assert.Single(parser.Messages).ContentTokens);
    }
}
