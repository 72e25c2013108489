using GptOss.Harmony;
using GptOss.Tests.Tokenization;
using GptOss.Tokenization;

namespace GptOss.Tests.Harmony;

/// <summary>What the tests of this room share: the published vocabulary, and answers written out as text.</summary>
internal static class Markup
{
    public static SpecialTokens Special { get; } = new(Tokenizer.O200kHarmony);

    /// <summary>The ids of a text in which the spellings of special tokens mean these.</summary>
    public static List<int> Tokens(string text) => SpecialSpellings.Encode(Tokenizer.O200kHarmony, text);

    public static string Text(IEnumerable<int> tokens) => Tokenizer.O200kHarmony.Decode(tokens);

    /// <summary>The parser after the whole of an assistant's answer, and its events.</summary>
    public static (HarmonyParser Parser, List<HarmonyEvent> Events) Parse(
        IEnumerable<int> tokens,
        HarmonyRole? preset = HarmonyRole.Assistant,
        params string[] tools
    )
    {
        var parser = new HarmonyParser(Special, preset, new ToolNames(tools));
        var events = new List<HarmonyEvent>();
        foreach (int token in tokens)
            events.AddRange(parser.Accept(token));
        events.AddRange(parser.Finish());
        return (parser, events);
    }

    /// <summary>The messages of an answer, a line each: <c>channel to=recipient type: text</c>.</summary>
    public static string[] Lines(string answer, params string[] tools) =>
        [.. Parse(Tokens(answer), HarmonyRole.Assistant, tools).Parser.Messages.Select(Line)];

    public static string Line(HarmonyMessage message)
    {
        string who = message.Role == HarmonyRole.Assistant ? "" : $"{message.Role.Word()} {message.Name} ";
        string to = message.Recipient is null ? "" : $" to={message.Recipient}";
        string type = message.ContentType is null ? "" : $" {message.ContentType}";
        return $"{who}{message.Channel}{to}{type}: {message.Text}";
    }
}
