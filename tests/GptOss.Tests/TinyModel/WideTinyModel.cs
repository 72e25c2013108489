namespace GptOss.Tests.TinyModel;

/// <summary>
/// The tiny model without the field that keeps its context at 4,096 tokens: for answers and prompts that take seconds.
/// </summary>
internal sealed class WideTinyModel : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public WideTinyModel()
    {
        foreach (string file in Directory.GetFiles(TinyGptOss.Folder))
            File.Copy(file, System.IO.Path.Combine(_folder.Path, System.IO.Path.GetFileName(file)));
        string generation = System.IO.Path.Combine(_folder.Path, "generation_config.json");
        File.WriteAllLines(
            generation,
            File.ReadAllLines(generation)
                .Where(line => !line.Contains("default_context_length", StringComparison.Ordinal))
        );
    }

    public string Path => _folder.Path;

    public void Dispose() => _folder.Dispose();
}
