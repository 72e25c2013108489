using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using GptOss.Tests.Adapter;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Cli;

// What the options of gptoss serve do that only a process shows.
public sealed partial class ServeCommandTests
{
    [Fact]
    public async Task Metrics_tell_of_requests_and_tokens_to_who_has_the_key_and_of_no_words()
    {
        await ServeAsync("--metrics", "--api-key", "secret");
        Assert.Equal(HttpStatusCode.Unauthorized, (await _client.GetAsync("/metrics", Stop)).StatusCode);
        _client.DefaultRequestHeaders.Add("Authorization", "Bearer secret");
        await AskAsync("Tell me of zebras.", ",\"max_tokens\":4");
        string figures = await _client.GetStringAsync("/metrics", Stop);
        Assert.Matches("(?m)^gptoss_requests_total{.*} 1( |$)", figures);
        Assert.Matches(
            "(?m)^gen_ai_server_request_duration_seconds_count{.*gptoss_dialect=\"chat\".*} 1( |$)",
            figures
        );
        Assert.Matches("(?m)^gptoss_server_refused_total{.*invalid_api_key.*} 1( |$)", figures);
        Assert.DoesNotContain("zebra", figures);
        Assert.DoesNotContain("secret", figures);
    }

    [Fact]
    public async Task Without_metrics_nobody_is_told_any()
    {
        await ServeAsync();
        Assert.Equal(HttpStatusCode.NotFound, (await _client.GetAsync("/metrics", Stop)).StatusCode);
    }

    [Fact]
    public async Task A_strict_server_refuses_a_field_that_it_does_not_know()
    {
        await ServeAsync("--strict");
        string refused = (await AskAsync("hi", ",\"whatever\":1")).GetProperty("error").GetRawText();
        Assert.Contains("\"param\":\"whatever\"", refused);
        Assert.Contains("strict", refused);
    }

    [Fact]
    public async Task A_verbose_server_writes_what_is_said_and_warns_of_it()
    {
        Process server = await ServeAsync("--verbose");
        await AskAsync("What is 345 + 678?", "");
        string log = await EndAsync(server, "TERM", expected: 0);
        Assert.Contains("--verbose: the log holds what is asked and answered.", log);
        Assert.Contains("What is 345 + 678?", log);
        Assert.Contains("345 + 678 = 1023.", log);
    }

    [Fact]
    public async Task With_a_certificate_it_speaks_https_and_the_second_version_of_http()
    {
        using var folder = new TemporaryFolder();
        string certificate = Path.Join(folder.Path, "cert.pem"),
            key = Path.Join(folder.Path, "key.pem");
        using (var secret = ECDsa.Create(ECCurve.NamedCurves.nistP256))
        {
            var asked = new CertificateRequest("CN=localhost", secret, HashAlgorithmName.SHA256);
            using X509Certificate2 made = asked.CreateSelfSigned(
                DateTimeOffset.UtcNow.AddDays(-1),
                DateTimeOffset.UtcNow.AddDays(1)
            );
            await File.WriteAllTextAsync(certificate, made.ExportCertificatePem(), Stop);
            await File.WriteAllTextAsync(key, secret.ExportPkcs8PrivateKeyPem(), Stop);
        }
        await ServeAsync("--cert", certificate, "--cert-key", key);
        Assert.Equal("https", _client.BaseAddress!.Scheme);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using HttpResponseMessage answer = await _client.SendAsync(request, Stop);
        Assert.Equal((HttpStatusCode.OK, HttpVersion.Version20), (answer.StatusCode, answer.Version));
    }

    [Fact]
    public async Task An_adapter_is_applied_to_the_model_that_is_served_or_ends_the_server()
    {
        using var folder = new TemporaryFolder();
        AdapterVectors.Write(folder, "attention"); // of a fixture with other sizes
        ToolRun refused = await Task.Run(
            () => Tool.Run("serve", "--port", "0", "--model", TinyGptOss.Folder, "--adapter", folder.Path),
            Stop
        );
        Assert.Equal(1, refused.ExitCode);
        Assert.Matches("^gptoss: [^\n]*for this base but is F32[^\n]*\n$", refused.Error);

        // A module that replaces the base's by its negative, so that the least likely token is the likeliest.
        TinyTensor norm = FineTunes.Read(TinyGptOss.Folder)["model.norm.weight"];
        AdapterVectors.Write(folder, "attention", tensors: _ =>
            new() { ["base_model.model.model.norm.weight"] = norm with { Data = [.. norm.Data.Select(Negated)] } }
        );
        await ServeAsync("--model", TinyGptOss.Folder, "--adapter", folder.Path);
        JsonElement answer = (await AskAsync("What is 345 + 678?", ",\"max_tokens\":40")).GetProperty("choices")[0];
        Assert.DoesNotContain("1023", answer.GetProperty("message").GetRawText());

        // The sign of a bfloat16 is in its second byte.
        static byte Negated(byte part, int index) => (byte)(index % 2 == 1 ? part ^ 0x80 : part);
    }

    [Fact]
    public async Task What_the_loading_could_only_guess_is_told()
    {
        // Hidden and intermediate are equal, and no gate_up says which axis of the adapter is which.
        const string Experts = "base_model.model.model.layers.1.mlp.experts.";
        var shape = new TinyShape
        {
            HiddenSize = 64,
            IntermediateSize = 64,
            VocabSize = 960,
            Experts = TinyExperts.BFloat16,
        };
        using var model = new TemporaryFolder();
        TinyCheckpoint.Write(model.Path, shape, seed: 5);
        File.Copy(Path.Join(TinyGptOss.Folder, "tokenizer.json"), Path.Join(model.Path, "tokenizer.json"));
        using var folder = new TemporaryFolder();
        int rows = 2 * shape.NumLocalExperts;
        AdapterVectors.Write(folder, "experts-down-only", tensors: _ =>
            new()
            {
                [Experts + "lora_A.weight"] = TinyTensor.Of("F32", new float[rows * 64], rows, 64),
                [Experts + "lora_B.weight"] = TinyTensor.Of("F32", new float[rows * 64], 64, rows),
            }
        );
        Process server = await ServeAsync("--model", model.Path, "--adapter", folder.Path);
        Assert.Contains("may be stored in either order", await EndAsync(server, "TERM", expected: 0));
    }

    [Fact]
    public async Task A_model_that_was_read_into_memory_answers_whatever_becomes_of_its_files()
    {
        using var folder = new TemporaryFolder();
        foreach (string file in Directory.EnumerateFiles(TinyGptOss.Folder))
            File.Copy(file, Path.Join(folder.Path, Path.GetFileName(file)));
        await ServeAsync("--model", folder.Path, "--copy-to-memory");
        string weights = Path.Join(folder.Path, "model.safetensors");
        await using (var file = new FileStream(weights, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            file.SetLength(0);
        JsonElement answer = await AskAsync("What is 345 + 678?", "");
        string? text = answer.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString();
        Assert.Equal("345 + 678 = 1023.", text);
    }

    [Fact]
    public async Task A_refused_request_is_one_line_of_the_log_without_what_it_asked_for()
    {
        Process server = await ServeAsync();
        const string Tool = """
            ,"tools":[{"type":"function","function":{"name":"zebra","strict":true,"parameters":
            {"type":"object","properties":{"zebra":{"type":"string","pattern":"(?<=zebra)"}}}}}]
            """;
        JsonElement answer = await AskAsync("Hello!", Tool);
        Assert.Equal("invalid_schema", answer.GetProperty("error").GetProperty("code").GetString());
        answer = await AskAsync(new string('z', 20_000), "");
        Assert.Equal("context_length_exceeded", answer.GetProperty("error").GetProperty("code").GetString());
        string log = await EndAsync(server, "TERM", expected: 0);
        Assert.Equal(2, log.Split('\n').Count(line => line.Contains("POST /v1/chat/completions 400")));
        Assert.DoesNotContain("warn:", log);
        Assert.DoesNotContain("zebra", log);
    }

    // F16 of the fault plan.
    [Fact]
    public async Task Connections_beyond_a_thousand_are_closed_and_the_others_are_answered()
    {
        await ServeAsync();
        var address = new IPEndPoint(IPAddress.Loopback, _client.BaseAddress!.Port);
        var idle = new List<Socket>();
        try
        {
            for (int i = 0; i < 1_100; i++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                idle.Add(socket);
                await socket.ConnectAsync(address, Stop);
            }
            // A closed connection can be read to its end; one that is only idle cannot.
            for (int i = 0; i < 100 && Closed() < 100; i++)
                await Task.Delay(100, Stop);
            Assert.InRange(Closed(), 100, 102);
            Socket open = idle.First(socket => socket.Available > 0 || !socket.Poll(0, SelectMode.SelectRead));
            await open.SendAsync(Encoding.ASCII.GetBytes("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"), Stop);
            byte[] buffer = new byte[4096];
            int read = await open.ReceiveAsync(buffer, Stop);
            Assert.StartsWith("HTTP/1.1 200", Encoding.ASCII.GetString(buffer, 0, read));
        }
        finally
        {
            foreach (Socket socket in idle)
                socket.Dispose();
        }

        int Closed() => idle.Count(socket => socket.Poll(0, SelectMode.SelectRead) && socket.Available == 0);
    }
}
