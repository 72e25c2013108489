using System.Text.RegularExpressions;
using GptOss.Checkpoint;

namespace GptOss.Tokenization;

/// <summary>Reads <c>pre_tokenizer</c> of a <c>tokenizer.json</c>: how text is split before tokens merge.</summary>
/// <remarks>Known are ByteLevel, alone or after one Split step; every other kind is refused.</remarks>
internal static class SplitterJson
{
    /// <summary>Reads the splitter out of the root object of a <c>tokenizer.json</c>.</summary>
    /// <exception cref="CheckpointException">The steps are damaged or of a kind that is not implemented.</exception>
    public static TextSplitter Read(JsonFields root)
    {
        JsonFields steps = root.Object("pre_tokenizer");
        if (steps.Text("type") != "Sequence")
            return ByteLevel(steps);
        JsonFields[] list = steps.Objects("pretokenizers");
        if (list.Length == 1)
            return ByteLevel(list[0]);
        if (list.Length == 2 && ByteLevel(list[1]) == TextSplitter.None)
            return Split(list[0]);
        throw steps.Wrong(
            "pretokenizers",
            "a Split step, then a ByteLevel step with use_regex false",
            list.Length == 2 ? "use_regex true" : $"{list.Length} steps"
        );
    }

    private static TextSplitter ByteLevel(JsonFields step)
    {
        step.RequireText("type", "ByteLevel");
        if (step.OptionalBoolean("add_prefix_space") ?? true)
            throw step.Wrong("add_prefix_space", "false", "true", "Decoding would not give the text back.");
        return step.OptionalBoolean("use_regex") ?? true ? TextSplitter.Gpt2 : TextSplitter.None;
    }

    private static TextSplitter Split(JsonFields step)
    {
        step.RequireText("type", "Split");
        step.RequireText("behavior", "Isolated");
        if (step.OptionalBoolean("invert") == true)
            throw step.Wrong("invert", "false", "true");
        JsonFields pattern = step.Object("pattern");
        string regex = pattern.OptionalText("String") is { } text ? Regex.Escape(text) : pattern.Text("Regex");
        if (regex.Length > TextSplitter.LongestPattern)
            throw pattern.Wrong(
                pattern.Has("String") ? "String" : "Regex",
                $"at most {TextSplitter.LongestPattern} characters",
                $"{regex.Length}"
            );
        try
        {
            return TextSplitter.For(regex, step.Path);
        }
        catch (RegexParseException e)
        {
            throw pattern.Wrong("Regex", "a regex that .NET understands", JsonFields.Quoted(regex), Printable.Fault(e));
        }
    }
}
