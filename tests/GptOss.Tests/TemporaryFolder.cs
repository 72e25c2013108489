namespace GptOss.Tests;

/// <summary>An empty folder of its own, gone with everything in it when disposed.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("gptoss-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
