using System.Net.Http.Headers;
using System.Text.Json;
using GptOss.Cli.Shell;

namespace GptOss.Cli.Connect;

/// <summary>The server that a client shall talk to, and what it serves.</summary>
/// <param name="Url">Its address, without <c>/v1</c> and without a slash at the end.</param>
/// <param name="Model">The name of its model.</param>
/// <param name="Context">The most tokens of prompt and answer together.</param>
internal sealed record ServerAddress(string Url, string Model, int Context)
{
    private const string DefaultModel = "gpt-oss-20b";
    private const int DefaultContext = 131_072;

    // Whoever types the command waits for this; a server of this machine answers in milliseconds.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>The part of the context that clients leave to an answer; tokens.</summary>
    public int Output => Context / 4;

    /// <summary>Completes what the command line says by what the server says, where it answers.</summary>
    /// <exception cref="UsageException">A value cannot stand in a client's settings.</exception>
    public static async Task<ServerAddress> OfAsync(string url, string? model, int? context, CancellationToken stop)
    {
        string address = Root(url);
        model = model is null ? null : Plain(model);
        if (model is null || context is null)
        {
            if (await AskAsync(address, model, stop).ConfigureAwait(false) is { } served)
                (model, context) = (model ?? served.Model, context ?? served.Context);
            else
                Failure.WriteLine(
                    $"No server answers at {address}: these settings are for {model ?? DefaultModel}, "
                        + $"{Amount.Count(context ?? DefaultContext)} tokens."
                );
        }
        return new(address, Plain(model ?? DefaultModel), context ?? DefaultContext);
    }

    private static async Task<(string Model, int? Context)?> AskAsync(string url, string? name, CancellationToken stop)
    {
        using var client = new HttpClient { Timeout = Patience };
        if (Environment.GetEnvironmentVariable("GPTOSS_API_KEY") is { Length: > 0 } key)
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        try
        {
            string list = await client.GetStringAsync(new Uri($"{url}/v1/models"), stop).ConfigureAwait(false);
            JsonElement[] models = [.. JsonElement.Parse(list).GetProperty("data").EnumerateArray()];
            JsonElement first = models.FirstOrDefault(one => one.GetProperty("id").GetString() == name, models[0]);
            int? context = first.TryGetProperty("max_model_len", out JsonElement length) ? length.GetInt32() : null;
            return (first.GetProperty("id").GetString()!, context);
        }
        catch (Exception error) when (!stop.IsCancellationRequested && IsNoServer(error))
        {
            return null;
        }
    }

    // No answer, or one that no server of ours gives.
    private static bool IsNoServer(Exception error) =>
        error
            is HttpRequestException
                or OperationCanceledException
                or JsonException
                or InvalidOperationException
                or KeyNotFoundException
                or IndexOutOfRangeException
                or FormatException;

    private static string Root(string url)
    {
        string root = url.TrimEnd('/');
        if (root.EndsWith("/v1", StringComparison.Ordinal))
            root = root[..^3].TrimEnd('/');
        return Uri.TryCreate(root, UriKind.Absolute, out Uri? parsed) && parsed.Scheme is "http" or "https"
            ? Plain(root)
            : throw new UsageException($"--url should be like http://127.0.0.1:8000, but is '{url}'.");
    }

    // The values stand between quotation marks of JSON, TOML, YAML, shells and programs.
    private static string Plain(string value) =>
        value.All(letter => char.IsAsciiLetterOrDigit(letter) || "-._~:/?#[]@&=+,%".Contains(letter))
            ? value
            : throw new UsageException($"'{value}' holds characters that no name of a model or address has.");
}
