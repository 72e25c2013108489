using System.Globalization;
using GptOss.AspNetCore.Faults;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Requests;

/// <summary>Reads how tokens are chosen and when an answer ends; the fields have one name in all dialects.</summary>
internal static class SamplingFields
{
    private const int MostBiases = 1_024,
        MostStops = 16,
        LongestStop = 256;

    /// <summary>The fields that are read here, without the limit of the answer's length.</summary>
    public static readonly IReadOnlyList<string> Names =
    [
        "temperature",
        "top_p",
        "top_k",
        "min_p",
        "frequency_penalty",
        "presence_penalty",
        "repetition_penalty",
        "repeat_penalty",
        "seed",
        "logit_bias",
    ];

    /// <summary>Puts what the body says into the options.</summary>
    /// <param name="body">The whole body of the request.</param>
    /// <param name="options">Gets what Microsoft.Extensions.AI has a member for.</param>
    /// <param name="vocabulary">How many tokens the model knows; null where nobody knows.</param>
    /// <returns>The options that only GptOss has.</returns>
    /// <exception cref="FaultException">A value is not within its limits.</exception>
    public static GptOssRequestOptions Read(WireValue body, ChatOptions options, int? vocabulary)
    {
        options.Temperature = (float?)body["temperature"].Number(0, 2);
        options.TopP = (float?)body["top_p"].Number(0, 1, isAbove: true);
        // A probability so small that a float cannot hold it.
        if (options.TopP == 0)
            options.TopP = float.Epsilon;
        options.TopK = (int?)body["top_k"].Whole(0, int.MaxValue) is { } most and > 0 ? most : null;
        options.FrequencyPenalty = (float?)body["frequency_penalty"].Number(-2, 2);
        options.PresencePenalty = (float?)body["presence_penalty"].Number(-2, 2);
        options.Seed = body["seed"].Whole(long.MinValue, long.MaxValue);
        return new GptOssRequestOptions
        {
            MinP = (float?)body["min_p"].Number(0, 1),
            RepetitionPenalty = (float?)body["repetition_penalty"].Number(0.1, 10)
                ?? (float?)body["repeat_penalty"].Number(0.1, 10),
            LogitBias = Biases(body["logit_bias"], vocabulary),
        };
    }

    /// <summary>The most tokens of the answer: the first of the fields that is there; null for no limit.</summary>
    /// <exception cref="FaultException">A value is not within its limits, or two of them differ.</exception>
    public static int? Limit(params ReadOnlySpan<WireValue> fields)
    {
        int? limit = null;
        foreach (WireValue field in fields)
        {
            if ((int?)field.Whole(1, int.MaxValue) is not { } most)
                continue;
            if (limit is { } other && other != most)
                throw field.WrongValue(
                    string.Create(CultureInfo.InvariantCulture, $"{other} as well, or left out"),
                    string.Create(CultureInfo.InvariantCulture, $"{most}")
                );
            limit = most;
        }
        return limit;
    }

    /// <summary>The texts that end an answer: one string, or a list of them.</summary>
    /// <exception cref="FaultException">They are too many, too long, empty or no strings.</exception>
    public static IList<string>? Stops(WireValue field)
    {
        if (field.IsAbsent)
            return null;
        if (field.IsText)
            return [Stop(field)];
        return [.. field.Items(MostStops, "a string or a list of strings").Select(Stop)];
    }

    private static string Stop(WireValue item) =>
        item.Needed("a string").Text(LongestStop) is { Length: > 0 } text
            ? text
            : throw item.WrongValue("a string of at least one character", "empty");

    private static Dictionary<int, float>? Biases(WireValue field, int? vocabulary)
    {
        if (field.IsAbsent)
            return null;
        var biases = new Dictionary<int, float>();
        foreach ((string name, WireValue value) in field.Members("an object of token ids and numbers"))
        {
            if (biases.Count == MostBiases)
                throw field.WrongValue(
                    string.Create(CultureInfo.InvariantCulture, $"at most {MostBiases} tokens"),
                    "longer"
                );
            if (
                !int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int token)
                || token >= (vocabulary ?? int.MaxValue)
            )
                throw field.WrongValue("an object of token ids and numbers", $"without a token {Fault.Quote(name)}");
            biases[token] = (float)(value.Number(-100, 100) ?? throw value.WrongType("a number from -100 to 100"));
        }
        return biases;
    }
}
