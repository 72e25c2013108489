namespace GptOss.Peers;

/// <summary>The field <c>decode_of_streams</c> of <c>gptoss bench --streams --json</c>.</summary>
/// <param name="TotalTokPerS">Tokens per second of all streams together.</param>
internal sealed record StreamFigures(double TotalTokPerS);
