namespace GptOss.Hub;

/// <summary>Where the bytes of a file are, as the hub answers to a HEAD request.</summary>
/// <param name="Address">Where to ask for the bytes; the hub signs it for a time.</param>
/// <param name="ETag">The hash of the content, without quotes; null where no answer told.</param>
/// <param name="Bytes">The length of the content; null where no answer told.</param>
/// <param name="Commit">The commit that the answer is of; null where it is not the hub that answers.</param>
internal sealed record FilePlace(Uri Address, string? ETag, long? Bytes, string? Commit)
{
    /// <summary>Adds what one more answer says. The first that tells something counts: the hub's own.</summary>
    public FilePlace With(HttpResponseMessage response)
    {
        bool isContent = response.IsSuccessStatusCode;
        Uri asked = response.RequestMessage!.RequestUri!;
        return new FilePlace(
            !isContent && Uri.TryCreate(asked, response.Headers.Location, out Uri? location) ? location : asked,
            ETag
                ?? Hash(HubErrors.Header(response, "X-Linked-Etag") ?? (isContent ? response.Headers.ETag?.Tag : null)),
            Bytes
                ?? (
                    long.TryParse(HubErrors.Header(response, "X-Linked-Size"), out long size) ? size
                    : isContent ? response.Content.Headers.ContentLength
                    : null
                ),
            Commit ?? HubErrors.Header(response, "X-Repo-Commit")
        );
    }

    private static string? Hash(string? tag) =>
        tag is null ? null : (tag.StartsWith("W/", StringComparison.Ordinal) ? tag[2..] : tag).Trim('"');
}
