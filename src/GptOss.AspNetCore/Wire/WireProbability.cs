using System.Text;

namespace GptOss.AspNetCore.Wire;

/// <summary>How likely a token was, and what could have come in its place.</summary>
internal sealed record WireProbability(
    string Token,
    double Logprob,
    IReadOnlyList<int> Bytes,
    IReadOnlyList<WireLikelyToken> TopLogprobs
)
{
    // What OpenAI's API says of a token that could not come.
    private const double Never = -9999;

    /// <summary>A token's probability in the form that OpenAI's API has for it.</summary>
    public static WireProbability Of(TokenProbability token, GptOssTokenizer tokenizer)
    {
        (string text, int[] bytes) = Spelled(token.Token, tokenizer);
        return new WireProbability(
            text,
            Written(token.LogProbability),
            bytes,
            [
                .. token.Best.Select(likely =>
                {
                    (string other, int[] otherBytes) = Spelled(likely.Token, tokenizer);
                    return new WireLikelyToken(other, Written(likely.LogProbability), otherBytes);
                }),
            ]
        );
    }

    private static double Written(float logProbability) =>
        logProbability > Never ? Math.Round(logProbability, 6) : Never;

    private static (string, int[]) Spelled(int token, GptOssTokenizer tokenizer)
    {
        byte[] bytes = tokenizer.GetBytes(token);
        return (Encoding.UTF8.GetString(bytes), [.. bytes.Select(b => (int)b)]);
    }
}

/// <summary>A token that could have come, and how likely it was.</summary>
internal sealed record WireLikelyToken(string Token, double Logprob, IReadOnlyList<int> Bytes);
