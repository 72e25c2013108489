namespace GptOss;

/// <summary>What is downloaded by <see cref="GptOssHub"/>, and where to.</summary>
/// <remarks>
/// Null takes what the environment says: the variables of Hugging Face's own tools, which docs/models-and-files.md
/// lists.
/// </remarks>
public sealed record HubOptions
{
    /// <summary>Everything as the environment says.</summary>
    public static HubOptions Default { get; } = new();

    /// <summary>A branch, a tag or a commit; null for main.</summary>
    public string? Revision { get; init; }

    /// <summary>
    /// Of a repository with several GGUF files the one that is meant: its name, or the part of it that names the
    /// packing, such as Q4_K_M. Null where there is no choice.
    /// </summary>
    public string? File { get; init; }

    /// <summary>
    /// The token that is sent to the endpoint, and to no other host. Null for HF_TOKEN or the file that "hf auth login"
    /// writes; empty for none.
    /// </summary>
    public string? Token { get; init; }

    /// <summary>The address of the hub, http or https; null for HF_ENDPOINT, else https://huggingface.co.</summary>
    public Uri? Endpoint
    {
        get;
        init =>
            field = value is null or { IsAbsoluteUri: true, Scheme: "http" or "https" }
                ? value
                : throw new ArgumentException(
                    "Endpoint must be an absolute address of http or https.",
                    nameof(Endpoint)
                );
    }

    /// <summary>The folder of the cache; null for HF_HUB_CACHE and what stands for it.</summary>
    public string? Cache
    {
        get;
        init => field = NotEmpty(value, nameof(Cache));
    }

    /// <summary>Writes plain files into this folder instead of the cache; null for the cache.</summary>
    public string? Folder
    {
        get;
        init => field = NotEmpty(value, nameof(Folder));
    }

    /// <summary>Files that are fetched at the same time, 1 to 16.</summary>
    public int Jobs
    {
        get;
        init =>
            field = value is >= 1 and <= 16
                ? value
                : throw new ArgumentOutOfRangeException(nameof(Jobs), value, "Jobs must be between 1 and 16.");
    } = 4;

    private static string? NotEmpty(string? path, string name) =>
        path is "" ? throw new ArgumentException($"{name} must be the path of a folder, or null.", name) : path;
}
