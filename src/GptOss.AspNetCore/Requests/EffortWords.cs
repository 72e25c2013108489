using GptOss.AspNetCore.Faults;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Requests;

/// <summary>How long the model thinks: gpt-oss knows three words for it, and clients send seven.</summary>
internal static class EffortWords
{
    /// <summary>The words that gpt-oss knows.</summary>
    public static readonly IReadOnlyList<string> OfModel = ["low", "medium", "high"];

    /// <summary>The model's word for the first of the fields that is there; the default where none is.</summary>
    /// <param name="usual">The model's word where the request has none.</param>
    /// <param name="fields">The places in which the dialect's clients say it.</param>
    /// <exception cref="FaultException">The word is none of the seven.</exception>
    public static string Read(string usual, params ReadOnlySpan<WireValue> fields)
    {
        foreach (WireValue field in fields)
        {
            switch (field.Word("none", "minimal", "low", "medium", "high", "xhigh", "max"))
            {
                case null:
                    continue;
                case "medium":
                    return "medium";
                case "high" or "xhigh" or "max":
                    return "high";
                default:
                    return "low";
            }
        }
        return usual;
    }

    /// <summary>One of the model's words as Microsoft.Extensions.AI has it.</summary>
    public static ReasoningEffort Of(string word) =>
        word switch
        {
            "low" => ReasoningEffort.Low,
            "high" => ReasoningEffort.High,
            _ => ReasoningEffort.Medium,
        };
}
