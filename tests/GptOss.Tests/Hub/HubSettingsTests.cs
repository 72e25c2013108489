using GptOss.Hub;

namespace GptOss.Tests.Hub;

/// <summary>Token, endpoint and libraries as the environment has them.</summary>
public sealed class HubSettingsTests : DownloadTest
{
    [Theory]
    [InlineData("../../../x")]
    [InlineData("a//b")]
    [InlineData("c:\\x")]
    public async Task A_revision_that_leads_out_of_the_refs_is_refused(string revision)
    {
        HubException error = await RefusalAsync(HubProblem.NotFound, new HubOptions { Revision = revision });
        Assert.Equal($"'{revision}' cannot be a revision: a branch, a tag or a commit, such as main.", error.Message);
        Assert.Empty(Fake.Requests);
    }

    [Theory]
    [InlineData("HF_TOKEN", "a", null, "a")]
    [InlineData("HUGGING_FACE_HUB_TOKEN", " b\n", null, "b")]
    [InlineData("X", "", "c\n", "c")]
    [InlineData("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1", "c", null)]
    [InlineData("X", "", null, null)]
    public void The_token_is_found_as_Hugging_Faces_tools_find_it(
        string name,
        string value,
        string? file,
        string? token
    )
    {
        Home.Variables[name] = value;
        if (file is not null)
            Home.Write(".cache/huggingface/token", file);
        Assert.Equal(token, HubSettings.Of(HubOptions.Default, Home.Surroundings, Hooks).Token);
        Home.Variables["HF_TOKEN_PATH"] = Home.Write("elsewhere", "d");
        Assert.Equal(name == "X" ? "d" : token, HubSettings.Of(HubOptions.Default, Home.Surroundings, Hooks).Token);
        Assert.Null(HubSettings.Of(new HubOptions { Token = "" }, Home.Surroundings, Hooks).Token);
        HubException none = Assert.Throws<HubException>(() =>
            HubSettings.Of(new HubOptions { Token = "hf_secret\r\nX: y" }, Home.Surroundings, Hooks)
        );
        Assert.DoesNotContain("secret", none.Message);
    }

    [Fact]
    public void A_folder_without_a_name_is_refused_where_it_is_set()
    {
        Assert.Equal("Cache", Assert.Throws<ArgumentException>(() => new HubOptions { Cache = "" }).ParamName);
        Assert.Equal("Folder", Assert.Throws<ArgumentException>(() => new HubOptions { Folder = "" }).ParamName);
    }

    [Fact]
    public void The_endpoint_is_an_address_of_HTTP()
    {
        Assert.Equal("https://huggingface.co/", Endpoint().ToString());
        Home.Variables["HF_ENDPOINT"] = "http://mirror/hub/";
        Assert.Equal("http://mirror/hub/", Endpoint().ToString());
        Home.Variables["HF_ENDPOINT"] = "mirror";
        Assert.Equal(
            "HF_ENDPOINT should be an address such as https://huggingface.co, but is 'mirror'.",
            Assert.Throws<HubException>(Endpoint).Message
        );
        Assert.Throws<ArgumentException>(() => new HubOptions { Endpoint = new Uri("ftp://x") });
        Assert.Throws<ArgumentOutOfRangeException>(() => new HubOptions { Jobs = 0 });

        Uri Endpoint() => HubSettings.Of(HubOptions.Default, Home.Surroundings, Hooks).Endpoint;
    }

    [Theory]
    [InlineData("gpt-oss-21b")]
    [InlineData("a/b/c")]
    [InlineData("a/..")]
    [InlineData("a--b/c")]
    [InlineData("a/b c")]
    public async Task A_name_of_no_repository_is_wrong_usage(string name) =>
        await Assert.ThrowsAsync<ArgumentException>(() =>
            GptOssHub.DownloadAsync(name, cancellationToken: TestContext.Current.CancellationToken)
        );

    [Fact]
    public void OpenSSL_is_looked_for_before_the_runtime_misses_it()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems have hashes of their own.");
        Assert.True(OpenSsl.IsThere(null, name => name == "libssl.so.1.1"));
        Assert.True(OpenSsl.IsThere("9", name => name == "libssl.so.9"));
        Assert.False(OpenSsl.IsThere(null, _ => false));
        OpenSsl.Require();
    }
}
