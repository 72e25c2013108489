using System.Runtime.CompilerServices;

namespace GptOss.Cli.Run;

/// <summary>Keeps of a model's answer what is meant for the person: the text of the final channel.</summary>
/// <remarks>
/// The model writes messages <c>&lt;|channel|&gt; name &lt;|message|&gt; text &lt;|end|&gt;</c>, the first one's role being in the prompt. A
/// message that names no channel is kept: models that were trained on without channels answer so.
/// </remarks>
internal static class FinalChannel
{
    private const string Name = "final";

    public static async IAsyncEnumerable<int> Of(
        IAsyncEnumerable<int> tokens, GptOssTokenizer tokenizer,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        int channel = Conversation.Special(tokenizer, "<|channel|>");
        int message = Conversation.Special(tokenizer, "<|message|>");
        int end = Conversation.Special(tokenizer, "<|end|>");
        int start = Conversation.Special(tokenizer, "<|start|>");
        List<int>? name = null;     // of the channel: what stands between its marker and the next special token
        bool inName = false, inText = false, kept = false;

        await foreach (int token in tokens.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            if (token == channel)
                (name, inName, inText) = ([], true, false);
            else if (token == message)
                (inText, kept) = (true, name is null || FirstWord(tokenizer.Decode(name)) == Name);
            else if (token == start || token == end)
                (name, inName, inText) = (null, false, false);
            else if (tokenizer.IsSpecial(token))
                inName = false;
            else if (inText && kept)
                yield return token;
            else if (inName && !inText)
                name!.Add(token);
        }
    }

    // A recipient may follow the name.
    private static string FirstWord(string header) =>
        header.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [string word, ..] ? word : "";
}
