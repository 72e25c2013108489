using System.Text.Json;
using GptOss.Checkpoint;

namespace GptOss.Hub;

/// <summary>
/// What a download set out to fetch, kept beside the partial files until all is there: it tells without a network what
/// is missing.
/// </summary>
/// <param name="Repository">Which repository the files are of.</param>
/// <param name="Revision">The revision that was asked for, such as main.</param>
/// <param name="Commit">The commit that the revision was.</param>
/// <param name="File">The GGUF file that was asked for; null where none was.</param>
/// <param name="Files">The files that are needed.</param>
internal sealed record DownloadPlan(
    RepositoryName Repository,
    string Revision,
    string Commit,
    string? File,
    IReadOnlyList<HubFile> Files
)
{
    /// <summary>What the name of a plan ends in, behind the commit.</summary>
    public const string Extension = ".gptoss.plan";

    /// <summary>The command that goes on with the download.</summary>
    public string Command => CommandOf(Repository, File, Revision);

    /// <summary>The command that fetches a repository.</summary>
    /// <param name="repository">Whose files are fetched.</param>
    /// <param name="file">The GGUF file that is meant; null for none.</param>
    /// <param name="revision">A branch, a tag or a commit.</param>
    public static string CommandOf(RepositoryName repository, string? file, string revision) =>
        $"gptoss pull {repository.Short}{(file is null ? "" : $" {file}")}"
        + (revision == RepositoryName.MainRevision ? "" : $" --revision {revision}");

    /// <exception cref="CheckpointException">The file is no plan, or damaged.</exception>
    public static DownloadPlan Read(string path)
    {
        var json = JsonFields.Load(path);
        return RepositoryName.TryParse(json.Text("repository"), out RepositoryName repository)
            ? new DownloadPlan(
                repository,
                json.Text("revision"),
                json.Text("commit"),
                json.OptionalText("file"),
                [.. json.Objects("files").Select(ReadFile)]
            )
            : throw json.Wrong("repository", "OWNER/NAME", JsonFields.Quoted(json.Text("repository")));
    }

    /// <summary>The plan as JSON in UTF-8, as <see cref="Read"/> takes it.</summary>
    public byte[] ToJson()
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("repository", Repository.ToString());
            json.WriteString("revision", Revision);
            json.WriteString("commit", Commit);
            if (File is not null)
                json.WriteString("file", File);
            json.WriteStartArray("files");
            foreach (HubFile file in Files)
            {
                json.WriteStartObject();
                json.WriteString("path", file.Path);
                json.WriteString("bytes", file.Bytes.ToString(System.Globalization.CultureInfo.InvariantCulture));
                json.WriteString("etag", file.ETag);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return bytes.ToArray();
    }

    private static HubFile ReadFile(JsonFields json) =>
        new(
            json.Text("path"),
            long.TryParse(json.Text("bytes"), out long bytes) && bytes >= 0
                ? bytes
                : throw json.Wrong("bytes", "a whole number", JsonFields.Quoted(json.Text("bytes"))),
            HubFile.IsETag(json.Text("etag"))
                ? json.Text("etag")
                : throw json.Wrong("etag", "a hash", JsonFields.Quoted(json.Text("etag")))
        );
}
