using GptOss.Hub;

namespace GptOss.Tests.Hub;

/// <summary>What tests of downloads share: a hub, an empty home, waits that take no time.</summary>
public abstract class DownloadTest : IDisposable
{
    private protected const string First = "model-00000-of-00001.safetensors",
        Second = "model-00001-of-00001.safetensors";

    private protected FakeHub Fake { get; } = new();

    private protected Home Home { get; } = new();

    /// <summary>The waits that were asked for.</summary>
    private protected List<TimeSpan> Waits { get; } = [];

    private protected List<DownloadProgress> Reports { get; } = [];

    private protected HubHooks Hooks { get; set; }

    private protected string Hub => HubLayout.HubOf(Home.Surroundings);

    private protected HubLayout Layout => new(Hub, RepositoryOf(Fake.Repository));

    protected DownloadTest()
    {
        Fake.AddModel();
        Home.Variables["HF_HUB_DOWNLOAD_TIMEOUT"] = "5"; // the machine of the tests may be busy
        Hooks = HubHooks.None with
        {
            Delay = (time, stop) =>
            {
                lock (Waits)
                    Waits.Add(time);
                return Task.Delay(TimeSpan.FromMilliseconds(1), stop);
            },
            FreeBytes = _ => null,
        };
    }

    public void Dispose()
    {
        Fake.Dispose();
        Home.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected static RepositoryName RepositoryOf(string name) =>
        RepositoryName.TryParse(name, out RepositoryName repository) ? repository : throw new ArgumentException(name);

    private protected Task<string> DownloadAsync(HubOptions? options = null, CancellationToken? stop = null)
    {
        options = (options ?? HubOptions.Default) with { Endpoint = options?.Endpoint ?? Fake.Address };
        return Download.RunAsync(
            RepositoryOf(Fake.Repository),
            HubSettings.Of(options, Home.Surroundings, Hooks),
            new Listener(Reports),
            stop ?? TestContext.Current.CancellationToken
        );
    }

    private protected async Task<HubException> RefusalAsync(HubProblem problem, HubOptions? options = null)
    {
        HubException error = await Assert.ThrowsAsync<HubException>(() => DownloadAsync(options));
        Assert.Equal(problem, error.Problem);
        return error;
    }

    /// <summary>Asserts that the snapshot is whole and nothing is left beside it.</summary>
    private protected void AssertWhole(string folder, params string[] files)
    {
        string[] names =
            files.Length > 0
                ? files
                : ["config.json", "generation_config.json", First, Second, "model.safetensors.index.json"];
        Assert.Equal(names.Order(), Directory.EnumerateFiles(folder).Select(Path.GetFileName).Order());
        foreach (string name in names)
            Assert.True(Fake.Files[name].AsSpan().SequenceEqual(File.ReadAllBytes(Path.Join(folder, name))), name);
        if (Directory.Exists(Layout.Blobs))
            Assert.All(Directory.EnumerateFiles(Layout.Blobs), path =>
                Assert.True(HubFile.IsETag(Path.GetFileName(path)), path)
            );
    }

    private sealed class Listener(List<DownloadProgress> reports) : IProgress<DownloadProgress>
    {
        public void Report(DownloadProgress value)
        {
            lock (reports)
                reports.Add(value);
        }
    }
}
