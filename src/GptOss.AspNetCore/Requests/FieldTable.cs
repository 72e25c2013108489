using GptOss.AspNetCore.Faults;

namespace GptOss.AspNetCore.Requests;

/// <summary>
/// The fields that a dialect's requests may have: those that are read, those that are known and change nothing here,
/// and those that are refused, since to ignore them would change what was asked. All but the first are one list for
/// every dialect: clients send the fields of one to another.
/// </summary>
internal sealed class FieldTable
{
    private static readonly string[] ReadByAll =
    [
        .. SamplingFields.Names,
        "background",
        "chat_template_kwargs",
        "modalities",
        "model",
        "n",
        "reasoning",
        "reasoning_effort",
        "stream",
        "tool_choice",
        "tools",
    ];

    private static readonly HashSet<string> Idle =
    [
        "betas",
        "cache_control",
        "client_metadata",
        "container",
        "context_management",
        "include_obfuscation",
        "inference_geo",
        "max_tool_calls",
        "mcp_servers",
        "metadata",
        "parallel_tool_calls",
        "prediction",
        "prompt_cache_key",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "speed",
        "store",
        "stream_options",
        "truncation",
        "user",
        "verbosity",
    ];

    private readonly HashSet<string> _read;

    // With the end of the sentence that begins with the field.
    private readonly Dictionary<string, string> _refused;

    /// <param name="history">The field that holds the conversation.</param>
    /// <param name="read">The fields that the dialect's reader reads, beside those that every dialect has.</param>
    public FieldTable(string history, IEnumerable<string> read)
    {
        _read = [.. ReadByAll, history, .. read];
        _refused = new()
        {
            ["audio"] = "is not offered: this model writes text only.",
            ["functions"] = "is the older form of 'tools': use that.",
            ["function_call"] = "is the older form of 'tool_choice': use that.",
            ["web_search_options"] = "is not offered: this server searches nothing. Offer a search as a tool.",
            ["conversation"] = $"is not offered: send the whole conversation in '{history}'.",
            ["prompt"] = $"is not offered: send '{history}'.",
            ["suffix"] = $"is not offered: send '{history}'.",
        };
    }

    /// <summary>The names of fields that the request has and that have no effect.</summary>
    /// <param name="body">The whole body of the request.</param>
    /// <param name="isStrict">Whether a field that nobody knows is refused too.</param>
    /// <exception cref="FaultException">A field is refused.</exception>
    public SortedSet<string> Check(WireValue body, bool isStrict)
    {
        var ignored = new SortedSet<string>(StringComparer.Ordinal);
        foreach ((string name, WireValue value) in body.Members())
        {
            if (value.IsAbsent || _read.Contains(name))
                continue;
            if (_refused.TryGetValue(name, out string? why))
                throw value.NotOffered(why);
            if (Idle.Contains(name))
                ignored.Add(name);
            else if (isStrict)
                throw value.NotOffered("is unknown, and this server is strict about fields.");
        }
        RefuseOtherAnswers(body);
        return ignored;
    }

    // More than one answer, one that is no text, and one that nobody waits for.
    private static void RefuseOtherAnswers(WireValue body)
    {
        if (body["n"].Whole(long.MinValue, long.MaxValue) is not (null or 1))
            throw body["n"].NotOffered("should be 1: this server makes one answer for a request.");
        foreach (WireValue modality in body["modalities"].Items(16))
            if (modality.Text() is not (null or "text"))
                throw body["modalities"].NotOffered("should be [\"text\"]: this model writes text only.");
        if (body["background"].Flag() == true)
            throw body["background"].NotOffered("is not offered: read the answer as a stream.");
    }
}
