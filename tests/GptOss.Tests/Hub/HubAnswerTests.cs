using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using GptOss.Hub;

namespace GptOss.Tests.Hub;

/// <summary>What the hub may answer besides files: refusals, redirects, pages; and who sees the token.</summary>
public sealed class HubAnswerTests : DownloadTest
{
    private const string Token = "hf_secret";

    [Fact]
    public async Task The_token_goes_to_the_hub_and_to_nobody_else()
    {
        await DownloadAsync(new HubOptions { Token = Token });
        Assert.All(Fake.Requests, request =>
            Assert.Equal(request.Line.StartsWith('*') ? null : $"Bearer {Token}", request.Request.Authorization)
        );
        Assert.Contains(Fake.Lines(), line => line.StartsWith('*'));
    }

    [Fact]
    public async Task A_redirect_within_the_hub_keeps_the_token()
    {
        Fake.AtHub = request =>
            request.Path.Contains("/old/", StringComparison.Ordinal) ? null
            : request.Path.EndsWith("config.json", StringComparison.Ordinal)
            && request.Method == "GET"
            && !request.Target.Contains("hop", StringComparison.Ordinal)
                ? new RawReply(307, [], ("Location", request.Path + "?hop=1"))
            : null;
        AssertWhole(await DownloadAsync(new HubOptions { Token = Token }));
        RawRequest hop = Assert
            .Single(Fake.Requests, request => request.Line.EndsWith("/config.json?hop=1", StringComparison.Ordinal))
            .Request;
        Assert.Equal($"Bearer {Token}", hop.Authorization);
    }

    [Fact]
    public async Task A_renamed_repository_is_followed()
    {
        // Every address of the old name is sent on to the new one.
        string old = Fake.Repository;
        Fake.Repository = "openai/renamed";
        Fake.AtHub = request =>
            request.Path.Contains(old, StringComparison.Ordinal)
                ? new RawReply(
                    307,
                    [],
                    ("Location", request.Target.Replace(old, Fake.Repository, StringComparison.Ordinal))
                )
                : null;
        string path = await Download.RunAsync(
            RepositoryOf(old),
            HubSettings.Of(new HubOptions { Endpoint = Fake.Address, Token = Token }, Home.Surroundings, Hooks),
            null,
            TestContext.Current.CancellationToken
        );
        AssertWhole(path);
        Assert.Contains("models--openai--gpt-oss-20b", path);
        Assert.All(Fake.Requests.Where(request => !request.Line.StartsWith('*')), request =>
            Assert.Equal($"Bearer {Token}", request.Request.Authorization)
        );
    }

    [Fact]
    public async Task A_circle_of_redirects_ends()
    {
        Fake.AtHub = request => new RawReply(302, [], ("Location", request.Target));
        Assert.Contains("leads in circles", (await RefusalAsync(HubProblem.WrongContent)).Message);
    }

    [Fact]
    public async Task A_redirect_to_something_else_than_HTTP_is_refused()
    {
        Fake.AtHub = _ => new RawReply(302, [], ("Location", "file:///etc/passwd"));
        Assert.Contains(
            "sends 'revision 'main'' on to an address that is none of HTTP.",
            (await RefusalAsync(HubProblem.WrongContent)).Message
        );
    }

    [Fact]
    public async Task A_certificate_that_nobody_trusts_is_told_at_once()
    {
        using var key = RSA.Create(2048);
        using X509Certificate2 own = new CertificateRequest(
            "CN=127.0.0.1",
            key,
            HashAlgorithmName.SHA256,
            RSASignaturePadding.Pkcs1
        ).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using X509Certificate2 certificate = X509CertificateLoader.LoadPkcs12(own.Export(X509ContentType.Pfx), null);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task served = ServeAsync();
        Uri secure = new($"https://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");

        HubException error = await RefusalAsync(HubProblem.Network, new HubOptions { Endpoint = secure });

        await served;
        Assert.StartsWith("openai/gpt-oss-20b: there is no secure connection to 127.0.0.1: ", error.Message);
        Assert.Contains("certificate", error.Message);
        Assert.Empty(Waits);

        async Task ServeAsync()
        {
            using TcpClient client = await listener.AcceptTcpClientAsync();
            using var stream = new SslStream(client.GetStream());
            try
            {
                await stream.AuthenticateAsServerAsync(certificate);
                await stream.ReadExactlyAsync(new byte[1]);
            }
            catch (Exception e) when (e is IOException or AuthenticationException)
            {
                // The client does not trust the certificate.
            }
        }
    }

    [Fact]
    public async Task The_list_of_files_may_have_pages()
    {
        Fake.PageSize = 2;
        AssertWhole(await DownloadAsync());
        Assert.Equal(5, Fake.Lines().Count(line => line.Contains("/tree/", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("<http://127.0.0.1:1/next>; rel=\"next\"")]
    [InlineData("rel=\"next\"")]
    public async Task A_next_page_elsewhere_is_refused(string link)
    {
        Fake.AtHub = request =>
            request.Path.Contains("/tree/", StringComparison.Ordinal)
                ? RawReply.Text(200, "[]", ("Content-Type", "application/json"), ("Link", link))
                : null;
        Assert.Equal(
            "openai/gpt-oss-20b: the hub's list of files has a next page that is not at 127.0.0.1.",
            (await RefusalAsync(HubProblem.WrongContent)).Message
        );
    }

    [Theory]
    [InlineData(
        403,
        "GatedRepo",
        false,
        HubProblem.Gated,
        "its terms must be accepted: accept its terms at {E}openai/gpt-oss-20b, then set HF_TOKEN."
    )]
    [InlineData(
        403,
        "GatedRepo",
        true,
        HubProblem.Gated,
        "its terms are not accepted by the owner of this token: accept its terms at {E}openai/gpt-oss-20b."
    )]
    [InlineData(
        401,
        "RepoNotFound",
        false,
        HubProblem.NotFound,
        "there is no such repository at 127.0.0.1, or it is private: check the name, or set HF_TOKEN."
    )]
    [InlineData(
        404,
        "RepoNotFound",
        true,
        HubProblem.NotFound,
        "there is no such repository at 127.0.0.1, or it is private: check the name and what the token may read."
    )]
    [InlineData(404, "RevisionNotFound", false, HubProblem.NotFound, "it has no revision 'main'.")]
    [InlineData(
        401,
        null,
        false,
        HubProblem.Unauthorized,
        "it does not exist, or wants a token: check the name, or set HF_TOKEN."
    )]
    [InlineData(
        401,
        null,
        true,
        HubProblem.Unauthorized,
        "the token is not accepted: make a new one, or unset HF_TOKEN for what is public."
    )]
    [InlineData(403, null, true, HubProblem.Unauthorized, "the token may not read it.")]
    [InlineData(404, null, false, HubProblem.NotFound, "revision 'main' was not found.")]
    [InlineData(418, null, false, HubProblem.Network, "revision 'main' was answered with 418.")]
    public async Task A_refusal_says_what_to_do(int status, string? code, bool token, HubProblem problem, string reason)
    {
        Fake.AtHub = _ => new RawReply(
            status,
            [],
            [.. code is null ? [] : new[] { ("X-Error-Code", code), ("X-Error-Message", "No\u0001 entry") }]
        );
        HubException error = await RefusalAsync(problem, new HubOptions { Token = token ? Token : "" });
        string told = code is null ? "" : " The hub says: No";
        Assert.StartsWith(
            $"openai/gpt-oss-20b: {reason.Replace("{E}", Fake.Address.ToString(), StringComparison.Ordinal)}{told}",
            error.Message
        );
        Assert.Equal(status, error.Status);
        Assert.Empty(Waits);
    }

    [Fact]
    public async Task A_file_that_is_gone_is_told_by_its_name()
    {
        Fake.AtHub = request =>
            request.Path.EndsWith("/config.json", StringComparison.Ordinal)
                ? new RawReply(404, [], ("X-Error-Code", "EntryNotFound"))
                : null;
        Assert.Equal(
            "openai/gpt-oss-20b: it has no file 'config.json' any more.",
            (await RefusalAsync(HubProblem.NotFound)).Message
        );
    }

    [Theory]
    [InlineData("""{"sha":"main"}""", "names no commit for the revision 'main'.")]
    [InlineData(
        """{"sha":"../../../../etc/passwd/../../../../../../../"}""",
        "names no commit for the revision 'main'."
    )]
    [InlineData("[]", "names no commit for the revision 'main'.")]
    public async Task A_revision_without_a_commit_is_refused(string json, string reason)
    {
        Fake.AtHub = _ => RawReply.Text(200, json, ("Content-Type", "application/json"));
        Assert.EndsWith(reason, (await RefusalAsync(HubProblem.WrongContent)).Message);
    }

    [Theory]
    [InlineData("{}", "should be an array.")]
    [InlineData("""[{"type":"file","path":"a","oid":"../../x","size":1}]""", "has no length and hash for 'a'.")]
    [InlineData("""[{"type":"file","path":"a","size":"1"}]""", "has no length and hash for 'a'.")]
    [InlineData(
        """[{"type":"file","path":"a","oid":"0123456789012345678901234567890123456789","size":-1}]""",
        "has no length and hash for 'a'."
    )]
    [InlineData(
        """[{"type":"file","path":"a","oid":"0123456789012345678901234567890123456789","size":1},{"type":"file","path":"a","oid":"1123456789012345678901234567890123456789","size":1}]""",
        "has 'a' twice."
    )]
    public async Task A_list_that_is_none_is_refused(string json, string reason)
    {
        Fake.AtHub = request =>
            request.Path.Contains("/tree/", StringComparison.Ordinal)
                ? RawReply.Text(200, json, ("Content-Type", "application/json"))
                : null;
        Assert.EndsWith(reason, (await RefusalAsync(HubProblem.WrongContent)).Message);
    }

    [Theory]
    [InlineData("../escape.gguf")]
    [InlineData("a//b.gguf")]
    [InlineData("c:x.gguf")]
    [InlineData("a\\\\b.gguf")] // in JSON one backslash
    public async Task A_path_that_leads_elsewhere_is_refused(string path)
    {
        Fake.Files.Clear();
        Fake.Files[path] = Home.Gguf(bytes: 1500);
        Assert.Contains(
            "has a name that leads out of its folder.",
            (await RefusalAsync(HubProblem.WrongContent)).Message
        );
        Assert.False(Directory.Exists(Hub));
    }

    [Fact]
    public async Task An_index_that_names_files_elsewhere_is_refused()
    {
        Fake.Add("model.safetensors.index.json", """{"weight_map":{"a":"../../../etc/passwd"}}""");
        Assert.Contains(
            "its model.safetensors.index.json names '../../../etc/passwd', which is not in the repository.",
            (await RefusalAsync(HubProblem.WrongContent)).Message
        );
    }

    [Fact]
    public async Task Names_are_escaped_part_by_part()
    {
        Fake.Repository = "me/x.y_z-1";
        Fake.Files.Clear();
        Fake.Files["a b/ü#%3F.gguf"] = Home.Gguf(bytes: 1500);
        string path = await DownloadAsync();
        Assert.Equal(Fake.Files["a b/ü#%3F.gguf"], File.ReadAllBytes(path));
        Assert.Contains($"HEAD /me/x.y_z-1/resolve/{FakeHub.Commit}/a%20b/%C3%BC%23%253F.gguf", Fake.Lines());
    }
}
