using System.Globalization;
using GptOss.Checkpoint;

namespace GptOss.Hub;

/// <summary>The options of a download with all that the environment says, decided once.</summary>
internal sealed record HubSettings
{
    public required Uri Endpoint { get; init; }

    /// <summary>Sent to the endpoint only; null for none.</summary>
    public required string? Token { get; init; }

    public required string Cache { get; init; }

    /// <summary>The folder for plain files; null for the cache.</summary>
    public required string? Folder { get; init; }

    public required string Revision { get; init; }

    public required string? File { get; init; }

    public required int Jobs { get; init; }

    /// <summary>Whether no request may be made.</summary>
    public required bool IsOffline { get; init; }

    /// <summary>Whether the snapshot may have links; only trying tells whether it can.</summary>
    public required bool MayLink { get; init; }

    /// <summary>How long a connection may take.</summary>
    public required TimeSpan Connect { get; init; }

    /// <summary>How long a connection may be silent before it counts as broken.</summary>
    public required TimeSpan Silence { get; init; }

    public required HubHooks Hooks { get; init; }

    public static HubSettings Of(HubOptions options, Surroundings surroundings, HubHooks hooks) =>
        new()
        {
            Endpoint = options.Endpoint ?? EndpointOf(surroundings),
            Token = Checked(options.Token is { } given ? NullIfEmpty(given.Trim()) : TokenOf(surroundings)),
            Cache = Path.GetFullPath(options.Cache ?? HubLayout.HubOf(surroundings)),
            Folder = options.Folder is { } folder ? Path.GetFullPath(folder) : null,
            Revision = Revised(NullIfEmpty(options.Revision) ?? RepositoryName.MainRevision),
            File = NullIfEmpty(options.File),
            Jobs = options.Jobs,
            IsOffline = surroundings.IsOn("HF_HUB_OFFLINE") || surroundings.IsOn("TRANSFORMERS_OFFLINE"),
            MayLink = !surroundings.IsOn("HF_HUB_DISABLE_SYMLINKS"),
            Connect = Seconds(surroundings, "HF_HUB_ETAG_TIMEOUT", 10),
            Silence = Seconds(surroundings, "HF_HUB_DOWNLOAD_TIMEOUT", 30),
            Hooks = hooks,
        };

    private static Uri EndpointOf(Surroundings surroundings) =>
        surroundings["HF_ENDPOINT"] is not { } text ? new Uri("https://huggingface.co")
        : Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https" ? uri
        : throw new HubException(
            HubProblem.NotFound,
            $"HF_ENDPOINT should be an address such as https://huggingface.co, but is '{Printable.Name(text)}'."
        );

    private static string? TokenOf(Surroundings surroundings)
    {
        if (surroundings.IsOn("HF_HUB_DISABLE_IMPLICIT_TOKEN"))
            return null;
        if ((surroundings["HF_TOKEN"] ?? surroundings["HUGGING_FACE_HUB_TOKEN"]) is { } token)
            return token;
        string file = surroundings.Folder("HF_TOKEN_PATH") ?? Path.Join(HubLayout.Home(surroundings), "token");
        try
        {
            return System.IO.File.Exists(file) ? NullIfEmpty(System.IO.File.ReadAllText(file).Trim()) : null;
        }
        catch (Exception e) when (RegularFile.IsFileTrouble(e))
        {
            return null; // what is public needs no token
        }
    }

    // What is no token could not be sent; the message does not repeat it, since it may hold one.
    private static string? Checked(string? token) =>
        token is null || token.All(c => c is > ' ' and < (char)127)
            ? token
            : throw new HubException(
                HubProblem.Unauthorized,
                "The token should be one word of letters and digits, such as hf_…, but is not. Set HF_TOKEN, or empty "
                    + "to go without."
            );

    // It becomes the path of a ref.
    private static string Revised(string revision) =>
        HubFile.IsSafePath(revision)
            ? revision
            : throw new HubException(
                HubProblem.NotFound,
                $"'{Printable.Name(revision)}' cannot be a revision: a branch, a tag or a commit, such as main."
            );

    private static TimeSpan Seconds(Surroundings surroundings, string name, double usual) =>
        TimeSpan.FromSeconds(
            double.TryParse(surroundings[name], NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds)
            && seconds is > 0 and < 86_400
                ? seconds
                : usual
        );

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
