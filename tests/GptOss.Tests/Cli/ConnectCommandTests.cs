using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using GptOss.Cli.Connect;
using GptOss.Cli.Shell;

namespace GptOss.Tests.Cli;

/// <summary><c>gptoss connect</c>: settings that programs can read, and nothing else.</summary>
public sealed class ConnectCommandTests
{
    private static readonly ServerAddress Server = new("http://127.0.0.1:8123", "gpt-oss-120b", 65_536);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<string> Names => [.. KnownClient.All.Select(client => client.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Settings_name_the_server_and_its_model(string name)
    {
        string settings = Settings(name);
        Assert.Contains("gpt-oss-120b", settings);
        Assert.Equal(name != "codex-models", settings.Contains("http://127.0.0.1:8123", StringComparison.Ordinal));
        Assert.EndsWith("\n", settings);
        Assert.DoesNotMatch("@[A-Z]+@", settings);
    }

    [Theory] // where each program looks for how much the model takes
    [InlineData("codex-models", "models.0.context_window", "65536")]
    [InlineData("claude", "env.CLAUDE_CODE_AUTO_COMPACT_WINDOW", "65536")]
    [InlineData("claude", "env.CLAUDE_CODE_MAX_OUTPUT_TOKENS", "16384")]
    [InlineData("opencode", "provider.gptoss.models.gpt-oss-120b.limit.context", "65536")]
    [InlineData("opencode", "provider.gptoss.models.gpt-oss-120b.limit.output", "16384")]
    [InlineData("qwen", "modelProviders.openai.0.generationConfig.contextWindowSize", "65536")]
    [InlineData("vscode", "0.models.0.maxInputTokens", "49152")]
    [InlineData("vscode", "0.models.0.maxOutputTokens", "16384")]
    [InlineData("vscode", "0.models.0.url", "http://127.0.0.1:8123/v1/chat/completions")]
    [InlineData("claude", "env.ANTHROPIC_BASE_URL", "http://127.0.0.1:8123")] // the client adds /v1 itself
    [InlineData("opencode", "provider.gptoss.options.baseURL", "http://127.0.0.1:8123/v1")]
    public void Settings_in_json_are_json_and_hold_the_limits(string name, string path, string expected)
    {
        JsonElement value = JsonElement.Parse(Settings(name));
        foreach (string step in path.Split('.'))
            value = value.ValueKind == JsonValueKind.Array ? value[int.Parse(step, null)] : value.GetProperty(step);
        Assert.Equal(expected, value.ToString());
    }

    /// <summary>Every line of TOML is a comment, the head of a table, or a key with a text or a number.</summary>
    [Fact]
    public void Settings_for_Codex_are_toml() =>
        Assert.All(Settings("codex").TrimEnd('\n').Split('\n'), line =>
            Assert.Matches("""^(|#.*|\[[a-z_.]+\]|[a-z_]+ = ("[^"\\]*"|[0-9]+)( #.*)?)$""", line)
        );

    [Theory]
    [InlineData("copilot")]
    [InlineData("openwebui")]
    public void Settings_for_a_shell_are_variables(string name) =>
        Assert.All(Settings(name).TrimEnd('\n').Split('\n'), line =>
            Assert.Matches("""^export [A-Z_]+=("[^"$`\\!]*"|[a-z0-9]+)$""", line)
        );

    [Fact]
    public void Instructions_for_Codex_are_short()
    {
        string instructions = JsonElement
            .Parse(Settings("codex-models"))
            .GetProperty("models")[0]
            .GetProperty("base_instructions")
            .GetString()!;
        // A prompt is read at some 50 tokens a second: every hundred of them are two seconds of the first answer.
        Assert.InRange(GptOssTokenizer.O200kHarmony.Encode(instructions).Count, 50, 250);
    }

    [Fact]
    public async Task A_server_that_runs_is_asked_for_its_model()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        string url = $"http://{listener.LocalEndpoint}";
        Task served = ServeAsync(
            listener,
            """{"data":[{"id":"first","max_model_len":4096},{"id":"second","max_model_len":8192},{"id":"third"}]}"""
        );
        Assert.Equal(
            new ServerAddress(url, "first", 4096),
            await ServerAddress.OfAsync($"{url}/v1/", null, null, Stop)
        );
        Assert.Equal(new ServerAddress(url, "second", 8192), await ServerAddress.OfAsync(url, "second", null, Stop));
        Assert.Equal(new ServerAddress(url, "third", 131_072), await ServerAddress.OfAsync(url, "third", null, Stop));
        Assert.Equal(new ServerAddress(url, "first", 2048), await ServerAddress.OfAsync(url, null, 2048, Stop));
        await served;
    }

    [Fact]
    [Trait("speed", "slow")] // a process
    public void It_prints_settings_alone_and_says_beside_them_where_they_belong()
    {
        using var silent = new Socket(SocketType.Stream, ProtocolType.Tcp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // nobody else gets the port, and nobody listens there
        ToolRun run = Tool.Run("connect", "opencode", "--url", $"http://{silent.LocalEndPoint}");
        Assert.Equal(0, run.ExitCode);
        JsonElement model = JsonElement.Parse(run.Output).GetProperty("model");
        Assert.Equal("gptoss/gpt-oss-20b", model.GetString());
        Assert.Matches(
            "^gptoss: No server answers at [^\n]*131,072[^\n]*\ngptoss: [^\n]*opencode.json[^\n]*\n$",
            run.Error
        );
    }

    [Fact]
    [Trait("speed", "slow")] // a process
    public void A_program_that_is_not_known_is_one_line_with_those_that_are() =>
        Tool.Run("connect", "emacs").AssertRefused(2, string.Join(", ", KnownClient.All.Select(client => client.Name)));

    [Theory]
    [InlineData("ftp://127.0.0.1", null, "--url should be")]
    [InlineData("127.0.0.1:8000", null, "--url should be")]
    [InlineData("http://127.0.0.1/\"", null, "characters")]
    [InlineData("http://127.0.0.1", "a\"b", "characters")] // would end the text that it stands in
    [InlineData("http://127.0.0.1", "$(id)", "characters")]
    public async Task What_cannot_stand_in_settings_is_refused(string url, string? model, string message)
    {
        Exception error = await Assert.ThrowsAsync<UsageException>(() => ServerAddress.OfAsync(url, model, 4096, Stop));
        Assert.Contains(message, error.Message);
    }

    private static string Settings(string name) =>
        KnownClient.All.Single(client => client.Name == name).SettingsFor(Server);

    /// <summary>Answers four requests for the list of models.</summary>
    private static async Task ServeAsync(TcpListener listener, string body)
    {
        for (int i = 0; i < 4; i++)
        {
            using TcpClient client = await listener.AcceptTcpClientAsync(Stop);
            using var reader = new StreamReader(client.GetStream());
            Assert.Equal("GET /v1/models HTTP/1.1", await reader.ReadLineAsync(Stop));
            while (await reader.ReadLineAsync(Stop) is not "") { }
            string reply = $"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}";
            await client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(reply), Stop);
        }
    }
}
