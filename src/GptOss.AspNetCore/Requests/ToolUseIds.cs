using System.Text.RegularExpressions;

namespace GptOss.AspNetCore.Requests;

/// <summary>
/// The ids of calls as Messages has them: <c>toolu_N</c> is <c>call_N</c> to the model's client, which finds by that
/// name what the model thought before its call. Ids of other origin stay as they are.
/// </summary>
internal static partial class ToolUseIds
{
    /// <summary>The id that the client of Messages is told.</summary>
    public static string Of(string callId) => OfCall().Replace(callId, "toolu_$1");

    /// <summary>The id that the model's client knows.</summary>
    public static string CallOf(string toolUseId) => OfMessages().Replace(toolUseId, "call_$1");

    [GeneratedRegex(@"\Acall_([0-9a-f]{32}(?:_[0-9]{1,6})?)\z")]
    private static partial Regex OfCall();

    [GeneratedRegex(@"\Atoolu_([0-9a-f]{32}(?:_[0-9]{1,6})?)\z")]
    private static partial Regex OfMessages();
}
