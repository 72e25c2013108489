using System.Globalization;
using GptOss.Cli.Shell;

namespace GptOss.Cli.Run;

/// <summary>A conversation of one question in Harmony, the chat format of gpt-oss, as token ids.</summary>
/// <remarks>
/// A message is <c>&lt;|start|&gt; role &lt;|message|&gt; text &lt;|end|&gt;</c>; the prompt ends where the assistant's message begins.
/// Each piece of text is encoded by itself, and none of it can become a special token. Source: openai/harmony, docs/format.md.
/// </remarks>
internal static class Conversation
{
    public static IReadOnlyList<int> Ask(GptOssTokenizer tokenizer, string question, DateOnly today)
    {
        int start = Special(tokenizer, "<|start|>");
        int message = Special(tokenizer, "<|message|>");
        int end = Special(tokenizer, "<|end|>");
        return
        [
            start, .. tokenizer.Encode("system"), message, .. tokenizer.Encode(SystemText(today)), end,
            start, .. tokenizer.Encode("user"), message, .. tokenizer.Encode(question), end,
            start, .. tokenizer.Encode("assistant"),
        ];
    }

    /// <summary>The id of a special token that Harmony cannot do without.</summary>
    /// <exception cref="UsageException">The vocabulary lacks it.</exception>
    public static int Special(GptOssTokenizer tokenizer, string name) =>
        tokenizer.SpecialTokens.TryGetValue(name, out int id)
            ? id
            : throw new UsageException($"The model's vocabulary has no {name}, so it takes no questions. Use --raw to let it go on with a text.");

    private static string SystemText(DateOnly today) => $"""
        You are ChatGPT, a large language model trained by OpenAI.
        Knowledge cutoff: 2024-06
        Current date: {today.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}

        Reasoning: medium

        # Valid channels: analysis, commentary, final. Channel must be included for every message.
        """.ReplaceLineEndings("\n");
}
