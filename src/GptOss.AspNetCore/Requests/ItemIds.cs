using System.Text.RegularExpressions;

namespace GptOss.AspNetCore.Requests;

/// <summary>
/// The ids of an answer's parts, all made of the answer's number: <c>resp_N</c>, <c>rs_N</c>, <c>msg_N_2</c>,
/// <c>call_N</c>.
/// </summary>
internal static partial class ItemIds
{
    /// <summary>What parts two messages of an answer that stand in one text.</summary>
    public const string Border = "\n\n";

    /// <summary>The number of the answer that an id belongs to; null for an id of other origin.</summary>
    public static string? NumberOf(string? id) =>
        id is not null && Pattern().Match(id) is { Success: true } own ? own.Groups[1].Value : null;

    [GeneratedRegex(@"\A(?:resp|rs|msg|fc|ctc|call)_([0-9a-f]{32})(?:_[0-9]{1,6})?\z")]
    private static partial Regex Pattern();
}
