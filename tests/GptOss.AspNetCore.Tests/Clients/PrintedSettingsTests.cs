using GptOss.Cli.Connect;

namespace GptOss.AspNetCore.Tests.Clients;

/// <summary>What <c>gptoss connect</c> prints works as it is printed, as far as .NET can run it.</summary>
public sealed class PrintedSettingsTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_program_for_dotnet_compiles_and_is_answered()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        string folder = Directory.CreateTempSubdirectory("gptoss-listing").FullName;
        try
        {
            ServerAddress server = await ServerAddress.OfAsync($"{host.Address}", null, 131_072, Stop);
            Assert.Equal("gpt-oss-20b", server.Model);
            var program = new Listing(KnownClient.All.Single(client => client.Name == "dotnet").SettingsFor(server));
            Assert.Empty(program.Problems(Stop));
            Assert.Equal((0, "What is 345 + 678?\n", ""), await program.RunAsync(folder, folder, Stop));
            Assert.Single(host.Script.Asked);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
