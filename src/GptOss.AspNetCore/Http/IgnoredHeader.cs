using System.Text;

namespace GptOss.AspNetCore.Http;

/// <summary>The header <c>x-gptoss-ignored</c>, which names the fields that are known and have no effect.</summary>
internal static class IgnoredHeader
{
    private const int Most = 1_024;

    /// <summary>The names with commas between them, at most 1,024 characters of them.</summary>
    public static string Of(IEnumerable<string> names)
    {
        var header = new StringBuilder();
        foreach (string name in names)
        {
            string plain = string.Concat(name.Where(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-'));
            if (header.Length + plain.Length + 2 > Most)
                break;
            header.Append(header.Length > 0 ? ", " : "").Append(plain);
        }
        return header.ToString();
    }
}
