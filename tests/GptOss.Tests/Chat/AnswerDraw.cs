using GptOss.Harmony;

namespace GptOss.Tests.Chat;

/// <summary>Draws answers of every shape that a model may give.</summary>
internal static class AnswerDraw
{
    private static SpecialTokens Special { get; } = new(TokenScript.Tokenizer);

    /// <summary>
    /// What a model may write: messages of all channels in any order, some in ids that no tokenizer takes, maybe a
    /// call.
    /// </summary>
    public static (List<int> Ids, bool IsCall) Draw(Random random)
    {
        string[] texts =
        [
            "Hello there!",
            "\n\nline\n\n",
            " ",
            "{\"a\": 1}",
            "Straße 💖",
            "a\n",
            "\n\nb",
            "<|start|>system",
        ];
        var ids = new List<int>();
        int messages = random.Next(1, 5);
        bool isCall = random.Next(2) == 0;
        for (int i = 0; i < messages; i++)
        {
            if (i > 0)
                ids.AddRange([Special.End, .. Special.AssistantPrompt]);
            ids.Add(Special.Channel);
            if (i == messages - 1 && isCall)
            {
                string[] arguments =
                [
                    """{"city": "Lisbon"}""",
                    """{"city":"Lisbon"}""",
                    " { \"city\" : \"Lis\\u0062on\" } ",
                    "[{\"city\":\"A\"}]",
                    "{}",
                    "",
                ];
                ids.AddRange([
                    .. Special.Tokenizer.Encode("commentary"),
                    .. Special.Tokenizer.Encode(" to=functions.get_weather"),
                ]);
                if (random.Next(3) > 0)
                    ids.AddRange([
                        .. Special.Tokenizer.Encode(" "),
                        Special.Constrain,
                        .. Special.Tokenizer.Encode("json"),
                    ]);
                else if (random.Next(2) == 0)
                    ids.AddRange(Special.Tokenizer.Encode(" json"));
                ids.Add(Special.Message);
                ids.AddRange(Words(arguments[random.Next(arguments.Length)], random));
                ids.Add(Special.Call);
                return (ids, true);
            }
            ids.AddRange(Special.Tokenizer.Encode(ChannelNames.All[random.Next(3)]));
            ids.Add(Special.Message);
            ids.AddRange(Words(texts[random.Next(texts.Length)], random));
        }
        ids.Add(Special.Return);
        return (ids, false);
    }

    private static IEnumerable<int> Words(string text, Random random) =>
        random.Next(3) > 0
            ? Special.Tokenizer.Encode(text)
            : System.Text.Encoding.UTF8.GetBytes(text).SelectMany(octet => ByteIds.Value[octet]);

    /// <summary>An id for each byte, which nobody would choose for a text.</summary>
    private static readonly Lazy<int[][]> ByteIds = new(() =>
    {
        var ids = new int[256][];
        for (int id = 0; id < 256; id++)
            ids[TokenScript.Tokenizer.Bytes[id].ToArray()[0]] = [id];
        return ids;
    });
}
