namespace GptOss;
/// <summary>Temporary.</summary>
public sealed class GptOssTokenizer { internal static GptOssTokenizer? ForFolder(string f, int v, out string? w) { w = "x"; return null; }
/// <summary>Temporary.</summary>
public IReadOnlyDictionary<string,int> SpecialTokens  { get; } = null!; }
