using System.CommandLine;
using System.Text.RegularExpressions;
using GptOss.Cli.Shell;

namespace GptOss.Cli.Debug;

/// <summary><c>gptoss debug tokens</c>: text to token ids, and back.</summary>
internal static class TokensCommand
{
    public static Command Create()
    {
        var text = new Argument<string?>("TEXT")
        {
            Description =
                "The text, or with --decode the ids; a dash, or nothing at the end of a pipe, reads standard input.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var decode = new Option<bool>("--decode") { Description = "From ids, such as 1,2,3, to text." };
        var special = new Option<bool>("--special")
        {
            Description =
                "Reads names of special tokens, such as <|start|>, as those tokens. Without it they are text like any "
                + "other.",
        };
        Option<string?> model = ModelChoice.Option();
        var command = new Command("tokens", "Text to token ids, and back.") { text, decode, special, model };
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                string input = await Input
                    .ReadAsync(
                        parsed.GetValue(text),
                        parsed.GetValue(decode) ? "The list of ids" : "The text",
                        cancellationToken
                    )
                    .ConfigureAwait(false);
                GptOssModel loaded = await GptOssModel
                    .LoadAsync(
                        ModelChoice.Path(parsed.GetValue(model)),
                        new ModelOptions { Threads = 1 },
                        progress: null,
                        cancellationToken
                    )
                    .ConfigureAwait(false);
                await using (loaded.ConfigureAwait(false))
                {
                    using var output = new Output();
                    if (parsed.GetValue(decode))
                        output.Write(Decode(loaded.Tokenizer, input));
                    else
                        output.WriteLine(
                            $"[{string.Join(',', Encode(loaded.Tokenizer, input, parsed.GetValue(special)))}]"
                        );
                }
                return 0;
            }
        );
        return command;
    }

    /// <summary>
    /// Exactly the tokens' text: no line feed is added, so that text → ids → text gives the same bytes.
    /// </summary>
    private static string Decode(GptOssTokenizer tokenizer, string input)
    {
        int[] ids = Values.ParseIds(input, "The list of ids");
        foreach (int id in ids)
        {
            if (id >= tokenizer.VocabularySize)
                throw new UsageException(
                    $"The vocabulary ends at {tokenizer.VocabularySize - 1}, so there is no token {id}."
                );
        }
        return tokenizer.Decode(ids);
    }

    private static IEnumerable<int> Encode(GptOssTokenizer tokenizer, string text, bool special)
    {
        if (!special || tokenizer.SpecialTokens.Count == 0)
            return tokenizer.Encode(text);

        // The group makes Split return the names as well: text, name, text, name, …, text.
        string names = string.Join(
            '|',
            tokenizer.SpecialTokens.Keys.OrderByDescending(name => name.Length).Select(Regex.Escape)
        );
        return Regex
            .Split(text, $"({names})", RegexOptions.CultureInvariant)
            .SelectMany((piece, i) => i % 2 == 1 ? [tokenizer.SpecialTokens[piece]] : tokenizer.Encode(piece));
    }
}
