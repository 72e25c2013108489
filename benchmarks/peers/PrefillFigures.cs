namespace GptOss.Peers;

/// <summary>An entry of the field <c>prefills</c> of <c>gptoss bench --prefills --json</c>.</summary>
/// <param name="Tokens">Tokens of the prompt.</param>
/// <param name="TokPerS">Tokens of the prompt per second.</param>
internal sealed record PrefillFigures(int Tokens, double TokPerS);
