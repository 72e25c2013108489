using System.Text;
using System.Text.Unicode;

namespace GptOss.AspNetCore.Requests;

/// <summary>
/// Reasoning in the form in which clients send it back without reading it. It is no secret, since the model is the
/// user's own: it is spelled in base64, so that a client can tell it from ciphertext of others by its beginning.
/// </summary>
internal static class SealedReasoning
{
    private const string Mark = "g1.";

    /// <summary>The reasoning in that form.</summary>
    public static string Seal(string reasoning) => Mark + Convert.ToBase64String(Encoding.UTF8.GetBytes(reasoning));

    /// <summary>The reasoning; null for what was not made here.</summary>
    public static string? Open(string text)
    {
        if (!text.StartsWith(Mark, StringComparison.Ordinal))
            return null;
        byte[] bytes = new byte[text.Length];
        return
            Convert.TryFromBase64String(text[Mark.Length..], bytes, out int length)
            && Utf8.IsValid(bytes.AsSpan(0, length))
            ? Encoding.UTF8.GetString(bytes, 0, length)
            : null;
    }
}
